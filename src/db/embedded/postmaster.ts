import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { commandLineOf, identityOf } from './process.js';

/** What a running server says of itself in postmaster.pid. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** It takes connections. */
  readonly ready: boolean;
  /** Started with fsync. */
  readonly durable: boolean;
}

/** How long a server may take to stop before it is made to, and then before we give up. */
const FAST_STOP_MS = 120_000;
const IMMEDIATE_STOP_MS = 20_000;

/**
 * The server that runs on the data directory `data`, or undefined. The file postmaster.pid alone proves
 * nothing: after a crash its process may be gone, or be somebody else's by now. So the process has to live
 * and to have `data` in its command line, where `start` puts it.
 */
export function runningPostmaster(data: string): Postmaster | undefined {
  const lines = pidFile(data);
  // The lines of the file: pid, data directory, start time, port, socket directory, address, key, status.
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isInteger(pid) || pid <= 0 || identityOf(pid) === undefined)
    return undefined;
  const command = commandLineOf(pid);
  if (command !== undefined && !command.includes(data)) return undefined;
  return {
    pid,
    port: Number(lines[3]),
    ready: lines[7]?.trim() === 'ready',
    durable: !(command ?? '').includes('fsync=off'),
  };
}

/**
 * Removes a postmaster.pid that PostgreSQL would believe although no server runs: the process named in it
 * exists, but is another one, or a zombie. PostgreSQL itself sees to files whose process is gone, and in
 * either case still finds out by its shared memory whether a dead server's children are at work.
 */
export function removeMisleadingPidFile(data: string): void {
  const pid = Number(pidFile(data)?.[0]);
  if (!Number.isInteger(pid) || pid <= 0 || runningPostmaster(data) !== undefined) return;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
  }
  rmSync(join(data, 'postmaster.pid'), { force: true });
}

/**
 * Stops the server on `data`, if one runs: fast (sessions are ended, everything is written), and when that
 * takes too long, immediate (the next start recovers from the log). Throws `embedded_stop_failed`.
 */
export async function stopPostmaster(data: string, log: string): Promise<void> {
  const running = runningPostmaster(data);
  if (running === undefined) return;
  const identity = identityOf(running.pid);
  // pg_ctl's fast and immediate modes are these signals. Windows has none; there the process is ended, and
  // the next start recovers.
  for (const [signal, patience] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
  ] as const) {
    try {
      process.kill(running.pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ESRCH') return;
      throw embeddedErrors.embedded_stop_failed.notAllowed({ pid: running.pid }, { cause: error });
    }
    const deadline = Date.now() + patience;
    while (Date.now() < deadline) {
      if (identityOf(running.pid)?.started !== identity?.started) return;
      await sleep(10);
    }
  }
  throw embeddedErrors.embedded_stop_failed.endures(
    { pid: running.pid },
    { details: [...lastLines(log), `log: ${log}`] },
  );
}

/** The last lines of the file `path` from the byte `from` on; none when it cannot be read. */
export function lastLines(path: string, from = 0, count = 10): string[] {
  try {
    const size = statSync(path).size;
    const text = readFileSync(path)
      .subarray(Math.max(from, size - 64 * 1024))
      .toString('utf8')
      .trim();
    return text === '' ? [] : text.split('\n').slice(-count);
  } catch {
    return [];
  }
}

function pidFile(data: string): string[] | undefined {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
