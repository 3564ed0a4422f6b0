import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Who a process is: its id and when it started. The pair is unique, so that a process which inherits the
 * id of a dead one is not taken for it.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the platform's own form; only ever compared. Empty where it cannot be learned. */
  readonly started: string;
}

/** The identity of the process `pid`, or undefined when no such process lives (a zombie does not). */
export function identityOf(pid: number): ProcessIdentity | undefined {
  if (!exists(pid)) return undefined;
  if (process.platform === 'linux') return linuxIdentity(pid);
  if (process.platform === 'win32') return { pid, started: '' };
  const started = ps(pid, 'lstart=');
  return started === undefined ? undefined : { pid, started };
}

let own: ProcessIdentity | undefined;

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  own ??= identityOf(process.pid) ?? { pid: process.pid, started: '' };
  return own;
}

/** Whether the very process that was recorded still lives. */
export function isAlive(recorded: ProcessIdentity): boolean {
  return identityOf(recorded.pid)?.started === recorded.started;
}

/** The command line of the process `pid`, its words separated by spaces; undefined when it cannot be read. */
export function commandLineOf(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined;
  if (process.platform !== 'linux') return ps(pid, 'command=');
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return undefined;
  }
}

/** The text form in lock and lease files: "pid started". */
export function formatIdentity({ pid, started }: ProcessIdentity): string {
  return `${pid} ${started}`;
}

/** Reads what {@link formatIdentity} wrote; undefined for anything else (a file cut short by a crash). */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^(\d+) (.*)$/.exec(text.trimEnd().split('\n')[0] ?? '');
  return match === null ? undefined : { pid: Number(match[1]), started: match[2] as string };
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Fields of /proc/<pid>/stat as in proc(5): state is the 3rd, starttime (ticks since boot) the 22nd. */
function linuxIdentity(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The 2nd field, the command's name in parentheses, may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, started: `${fields[19]}@${bootId()}` };
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    boot = '';
  }
  return boot;
}

function ps(pid: number, field: string): string | undefined {
  try {
    const text = execFileSync('ps', ['-ww', '-o', field, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
