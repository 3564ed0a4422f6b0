import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectFolder } from './server.js';

/** What a command left: its exit code (null where a signal ended it) and both outputs. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** The working directory, where logs and backup files go. */
  readonly cwd: string;
  /** Added to an environment that names no database. */
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in; nothing where left out. */
  readonly input?: string | Uint8Array;
}

/** The compiled command line. */
export const MAIN = join(projectFolder, 'dist', 'src', 'cli', 'main.js');

/** A running `sluice` command. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when stderr has said `text`. */
  said(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Starts `sluice` in a process of its own. Its environment holds no variable that names a database. */
export function startSluice(args: readonly string[], options: CommandOptions): Running {
  const { PATH = '', HOME = '', TMPDIR, USER } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: {
      PATH,
      HOME,
      ...(TMPDIR === undefined ? {} : { TMPDIR }),
      ...(USER === undefined ? {} : { USER }),
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  const waiting: { readonly text: string; readonly wake: () => void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text.stdout += more;
  });
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text.stderr += more;
    for (const each of waiting) if (text.stderr.includes(each.text)) each.wake();
  });
  // A command that does not read its input is no failure of the test.
  child.stdin.on('error', () => {});
  if (options.input !== undefined) child.stdin.end(options.input);
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...text }));
  return {
    child,
    ended,
    said: (wanted) =>
      Promise.race([
        new Promise<void>((wake) => {
          if (text.stderr.includes(wanted)) wake();
          else waiting.push({ text: wanted, wake });
        }),
        ended.then(() => {
          if (!text.stderr.includes(wanted)) throw new Error(`it ended without "${wanted}":\n${text.stderr}`);
        }),
      ]),
  };
}

/** Runs `sluice` to its end, with an empty stdin where no input is given. */
export async function sluice(args: readonly string[], options: CommandOptions): Promise<Ended> {
  return startSluice(args, { input: '', ...options }).ended;
}
