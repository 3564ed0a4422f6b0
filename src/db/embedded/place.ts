import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { canReach, isRoot, type ServerUser } from './user.js';

/** Where the parts of one embedded server lie. */
export interface Place {
  /** Holds what follows; made in one step, so that it is whole or absent. */
  readonly root: string;
  /** PostgreSQL's data directory; belongs to the account that the server runs as. */
  readonly data: string;
  /** The superuser's password; 0600, ours. */
  readonly password: string;
  /** What the server says; 0600, ours. */
  readonly log: string;
}

/** The parts of a server whose root is `root`. */
export function placeAt(root: string): Place {
  return { root, data: join(root, 'data'), password: join(root, 'password'), log: join(root, 'log') };
}

/** Makes the directory of Sluice's own files, kept out of version control. Returns its real path. */
export function makeDirectory(directory: string): string {
  if (mkdirSync(directory, { recursive: true }) !== undefined) {
    chmodSync(directory, 0o755);
    writeFileSync(join(directory, '.gitignore'), '*\n');
  }
  return realpathSync(directory);
}

/** The file that tells where the data is when it is not beside it. */
const pointer = (directory: string) => join(directory, 'postgres', 'location');

/** The directory that holds the data of every major version, as far as it is settled already. */
export function settledBase(directory: string): string | undefined {
  if (existsSync(pointer(directory))) return readFileSync(pointer(directory), 'utf8').trim();
  const beside = join(directory, 'postgres');
  return majorsIn(beside).length > 0 ? beside : undefined;
}

/**
 * The directory for the data of every major version: `<directory>/postgres`, or, where `user` cannot get
 * there (a project under /root, say), one in a place that all can reach, to which the file
 * `<directory>/postgres/location` then points.
 */
export function settleBase(directory: string, user: ServerUser | undefined): string {
  const settled = settledBase(directory);
  const base = join(directory, 'postgres');
  if (settled !== undefined && settled !== base) {
    // A container made anew brings the pointer along in the project, but not what it points to.
    if (isRoot()) sharedRoot();
    mkdirSync(settled, { recursive: true });
    return settled;
  }
  if (user === undefined || canReach(base, user)) return base;
  if (settled !== undefined) {
    throw embeddedErrors.embedded_unreachable({ user: user.name, folder: base });
  }
  const key = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const elsewhere = join(sharedRoot(), key);
  mkdirSync(elsewhere, { recursive: true });
  chmodSync(elsewhere, 0o755);
  writeFileSync(join(elsewhere, 'belongs-to'), `${directory}\n`);
  writeFileSync(pointer(directory), `${elsewhere}\n`);
  return elsewhere;
}

/** A directory of root's that every account can reach. */
function sharedRoot(): string {
  for (const path of ['/var/lib/sluice', join(tmpdir(), 'sluice-root')]) {
    try {
      if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o755);
    } catch {
      continue;
    }
    // Below /tmp somebody else may have been first: what others can change must not hold programs or data.
    const stat = lstatSync(path);
    if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) return path;
  }
  throw embeddedErrors.embedded_no_place();
}

/** Where copies of the programs go: beside the data, or, as root, one place for all projects. */
export function copiesOf(directory: string): string {
  return isRoot() ? sharedRoot() : join(directory, 'postgres');
}

/** The major versions that have data in `base`, ascending. */
export function majorsIn(base: string): number[] {
  if (!existsSync(base)) return [];
  return readdirSync(base)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(base, name, 'data')))
    .map(Number)
    .sort((a, b) => a - b);
}

/**
 * Refuses to begin an empty database beside one of another major version, which would look as if all was
 * lost. Throws `embedded_other_major`.
 */
export function refuseOtherMajor(base: string, major: number): void {
  const versionFile = join(base, String(major), 'data', 'PG_VERSION');
  const written = existsSync(versionFile) ? readFileSync(versionFile, 'utf8').trim() : undefined;
  const others = majorsIn(base).filter((each) => each !== major);
  if (written === String(major)) return;
  const other = written ?? others.at(-1);
  if (other === undefined) return;
  const root = join(base, written === undefined ? String(other) : String(major));
  throw embeddedErrors.embedded_other_major({ root, other, major });
}
