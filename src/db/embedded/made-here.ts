import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';

/** What only the file system knows of a directory: a copy of it, out of an archive or a repository, has another. */
function identity(directory: string): string {
  const { ino, birthtimeNs } = statSync(directory, { bigint: true });
  return `${ino} ${birthtimeNs}\n`;
}

/**
 * Makes `<directory>/postgres`, or makes sure that this user's Sluice has made it: it holds programs that are started
 * and a configuration that can name others. Throws `embedded_not_ours` for one that came otherwise, but where it is
 * `trusted`; from then on it counts as made here.
 */
export function assertMadeHere(directory: string, trusted = false): void {
  const base = join(directory, 'postgres');
  const mark = join(base, 'made-here');
  if (mkdirSync(base, { recursive: true }) !== undefined) chmodSync(base, 0o755);
  if (isOwn(base) && read(mark) === identity(base)) return;
  if (trusted || (isOwn(base) && readdirSync(base).length === 0)) {
    writeFileSync(mark, identity(base));
    return;
  }
  throw embeddedErrors.embedded_not_ours({ folder: base });
}

function isOwn(path: string): boolean {
  const user = process.getuid?.();
  return user === undefined || statSync(path).uid === user;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
