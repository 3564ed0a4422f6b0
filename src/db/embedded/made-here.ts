import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { refused } from '../../core/errors/author.js';
import { command } from '../../core/next.js';

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
  throw refused(
    'embedded_not_ours',
    `${base} was not made here by this user: it may hold anybody's programs`,
    {
      state: 'nothing in it was started',
      next: [
        command(
          'db start',
          [],
          { trust: true },
          { lead: 'if it is yours (moved here, or of an older version of Sluice)' },
        ),
        `or move it away: a new one is made`,
        'or use another server: --database-url',
      ],
    },
  );
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
