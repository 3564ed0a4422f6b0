import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { commandLineOf, formatIdentity, isAlive, ownIdentity, parseIdentity } from './process.js';

/** A file between its creation and its writing is empty; one that stays so was left by a crash. */
const UNWRITTEN_MS = 5_000;
const FREE = 'free';

/**
 * Runs `work` while no other process (nor another caller in this one) runs under the lock in `directory`.
 * A holder that was killed holds nothing: the next caller sees that its process is gone.
 *
 * Node has no flock(2), and removing a dead holder's lock file races with somebody who does the same. So
 * the lock is a row of numbered files, each created exclusively, and the highest decides: the next number
 * may be created only when its holder is done ("free") or dead, and whoever finds a higher number than
 * the own one steps back. Nobody ever removes the highest, hence nothing can be taken twice.
 *
 * Throws `embedded_lock_timeout` when the lock cannot be had within `timeoutMs`.
 */
export async function withLock<T>(
  directory: string,
  work: () => Promise<T>,
  timeoutMs = 120_000,
): Promise<T> {
  mkdirSync(directory, { recursive: true });
  const deadline = Date.now() + timeoutMs;
  let mine = take(directory);
  while (mine === undefined) {
    if (Date.now() > deadline) throw timedOut(directory, timeoutMs);
    await sleep(15);
    mine = take(directory);
  }
  try {
    return await work();
  } finally {
    const free = join(directory, `${FREE}.${process.pid}`);
    writeFileSync(free, FREE);
    renameSync(free, join(directory, String(mine)));
  }
}

function take(directory: string): number | undefined {
  const highest = highestIn(directory);
  if (highest > 0 && isHeld(join(directory, String(highest)))) return undefined;
  const mine = highest + 1;
  try {
    writeFileSync(join(directory, String(mine)), formatIdentity(ownIdentity()), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  if (highestIn(directory) > mine) {
    rmSync(join(directory, String(mine)), { force: true });
    return undefined;
  }
  // Some are left, so that a slow reader of the directory still meets a number above its own.
  for (const old of numbersIn(directory)) {
    if (old < mine - 16) rmSync(join(directory, String(old)), { force: true });
  }
  return mine;
}

function numbersIn(directory: string): number[] {
  return readdirSync(directory)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

const highestIn = (directory: string) => Math.max(0, ...numbersIn(directory));

function isHeld(path: string): boolean {
  try {
    const text = readFileSync(path, 'utf8');
    if (text === FREE) return false;
    const holder = parseIdentity(text);
    if (holder !== undefined) return isAlive(holder);
    return Date.now() - statSync(path).mtimeMs < UNWRITTEN_MS;
  } catch (error) {
    // Stepped back meanwhile: look again.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

function timedOut(directory: string, timeoutMs: number) {
  let holder: number | undefined;
  try {
    holder = parseIdentity(readFileSync(join(directory, String(highestIn(directory))), 'utf8'))?.pid;
  } catch {
    // The holder has just gone; the message does without its name.
  }
  const command = holder === undefined ? undefined : commandLineOf(holder);
  return embeddedErrors.embedded_lock_timeout(
    { seconds: timeoutMs / 1000 },
    {
      details:
        holder === undefined ? [] : [`process ${holder}${command === undefined ? '' : `: ${command}`}`],
    },
  );
}
