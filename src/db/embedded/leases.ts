import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatIdentity, isAlive, ownIdentity, parseIdentity } from './process.js';

/**
 * Who needs the embedded server: one file per lease, naming the process that holds it. A lease counts as
 * long as that process lives, so a command that was killed does not keep the server for ever. All
 * functions are to be called under the lock, except {@link holders}, which only reads.
 */
let taken = 0;

/** Adds a lease of this process; returns its file. */
export function addLease(directory: string): string {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, `${process.pid}.${++taken}`);
  // Readable by all: root and the owner of the directory may take turns.
  writeFileSync(file, formatIdentity(ownIdentity()), { mode: 0o644 });
  return file;
}

/** Ends a lease; one that is gone already is no error. */
export function endLease(file: string): void {
  rmSync(file, { force: true });
}

/** Removes the leases of processes that are gone. */
export function dropDeadLeases(directory: string): void {
  for (const { file, alive } of read(directory)) if (!alive) endLease(file);
}

/** The ids of the living processes that hold a lease, each once, ascending. */
export function holders(directory: string): number[] {
  const pids = read(directory)
    .filter(({ alive }) => alive)
    .map(({ pid }) => pid);
  return [...new Set(pids)].sort((a, b) => a - b);
}

function read(directory: string): { file: string; pid: number; alive: boolean }[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names.map((name) => {
    const file = join(directory, name);
    let text = '';
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      // Ended between the listing and the reading.
    }
    const identity = parseIdentity(text);
    return { file, pid: identity?.pid ?? 0, alive: identity !== undefined && isAlive(identity) };
  });
}
