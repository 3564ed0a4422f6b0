import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { identityOf } from './process.js';

/**
 * Makes the library links of a platform package's `native` folder where they are missing, and its programs
 * executable. npm packages cannot hold links, so the package lists them in pg-symlinks.json for its install
 * script, which package managers may have been told not to run. Returns false when the folder may not be
 * written to and something is missing.
 */
export function hydrate(folder: string): boolean {
  try {
    for (const { source, target } of links(folder)) {
      if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) continue;
      try {
        symlinkSync(relative(dirname(target), source), target);
      } catch (error) {
        // Another command has just made it.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
    for (const name of readdirSync(join(folder, 'bin'))) {
      const program = join(folder, 'bin', name);
      if ((statSync(program).mode & 0o111) === 0) chmodSync(program, 0o755);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/**
 * A copy of the `native` folder at `target`, links made, readable by everybody; made once. It appears
 * whole or not at all. Files that only serve building C programs are left out. Returns `target`.
 */
export function copyNative(folder: string, target: string): string {
  if (!existsSync(target)) {
    const unfinished = `${target}.new-${process.pid}`;
    mkdirSync(dirname(target), { recursive: true });
    for (const name of readdirSync(dirname(target))) {
      // What a command left that was killed while copying; one that is still at it is let be.
      const [, pid] = name.split(`${basename(target)}.new-`);
      if (pid !== undefined && (Number(pid) === process.pid || identityOf(Number(pid)) === undefined)) {
        rmSync(join(dirname(target), name), { recursive: true, force: true });
      }
    }
    cpSync(folder, unfinished, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !/\.a$/.test(source) && !['pgxs', 'pkgconfig'].includes(basename(source)),
    });
    readableByAll(unfinished);
    hydrate(unfinished);
    try {
      renameSync(unfinished, target);
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  if (!hydrate(target)) {
    throw embeddedErrors.embedded_binaries_unusable.incomplete({ folder: target });
  }
  return target;
}

/** The links to make, with absolute paths. Both ends are listed relative to the package's own folder. */
function links(folder: string): { source: string; target: string }[] {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const entries = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  const inside = (path: string) => join(folder, relative('native', path));
  return entries.map(({ source, target }) => ({ source: inside(source), target: inside(target) }));
}

function readableByAll(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  if (stat.isDirectory()) {
    chmodSync(path, 0o755);
    for (const name of readdirSync(path)) readableByAll(join(path, name));
  } else {
    chmodSync(path, (stat.mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}
