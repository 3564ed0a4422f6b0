import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../../src/cli/program.js';
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
  /** Another installation's command, in a process of its own. */
  readonly main?: string;
  /** What starts it, in a process of its own: the command with its arguments is appended. */
  readonly through?: readonly string[];
}

/** The command line as it is installed. */
export const MAIN = join(projectFolder, 'dist', 'bundle', 'src', 'cli', 'main.js');

/** A running `sluice` command. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves when stderr has said `text`. */
  said(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** The path of the log of a batch in `cwd`, which one database alone is used from. */
export function logOf(cwd: string, batch: string): string {
  const logs = join(cwd, '.sluice', 'logs');
  const found = readdirSync(logs).filter((name) => name.endsWith(`-${batch}.log`));
  assert.equal(found.length, 1, found.join());
  return join(logs, found[0] as string);
}

/** An environment that names no database. */
function bareEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR, USER } = process.env;
  return {
    PATH,
    HOME,
    ...(TMPDIR === undefined ? {} : { TMPDIR }),
    ...(USER === undefined ? {} : { USER }),
  };
}

/** Starts `sluice` in a process of its own. Its environment holds no variable that names a database. */
export function startSluice(args: readonly string[], options: CommandOptions): Running {
  const [program = '', ...words] = [
    ...(options.through ?? []),
    process.execPath,
    options.main ?? MAIN,
    ...args,
  ];
  const child = spawn(program, words, {
    cwd: options.cwd,
    env: { ...bareEnvironment(), ...options.env },
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

/**
 * Runs `sluice` to its end, with an empty stdin where no input is given: in this process where that is the
 * same to it, which costs a tenth of a process of its own. Where it reads stdin, or writes its log past
 * Node's streams, it has one.
 */
export async function sluice(args: readonly string[], options: CommandOptions): Promise<Ended> {
  const { input = '' } = options;
  const own = input.length > 0 || args.includes('-') || args.includes('--log-format');
  return own ? startSluice(args, { input, ...options }).ended : sluiceHere(args, options);
}

/** What the command under way in this process has said; nothing else that this process writes. */
const saying = new AsyncLocalStorage<{ stdout: string; stderr: string }>();
let turn: Promise<unknown> = Promise.resolve();

/** One at a time: working directory, environment and outputs are the whole process's. */
function sluiceHere(args: readonly string[], { cwd, env }: CommandOptions): Promise<Ended> {
  const ended = turn.then(async (): Promise<Ended> => {
    const before = { cwd: process.cwd(), env: { ...process.env }, code: process.exitCode };
    const said = { stdout: '', stderr: '' };
    const restore = (['stdout', 'stderr'] as const).map((name) => overhear(name));
    process.chdir(cwd);
    setEnvironment({ ...bareEnvironment(), ...env });
    process.exitCode = undefined;
    try {
      return { code: await saying.run(said, () => runCommand(args)), ...said };
    } finally {
      for (const each of restore) each();
      process.exitCode = before.code;
      setEnvironment(before.env);
      process.chdir(before.cwd);
    }
  });
  turn = ended.catch(() => {});
  return ended;
}

/** In place: Node reads some variables past an object that is put there instead. */
function setEnvironment(to: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) if (!(name in to)) delete process.env[name];
  Object.assign(process.env, to);
}

/** Keeps what the command writes to `stdout` or `stderr`; the function that it gives ends this. */
function overhear(name: 'stdout' | 'stderr'): () => void {
  const stream = process[name];
  const { write } = stream;
  stream.write = function (this: typeof stream, ...given: Parameters<typeof write>) {
    const said = saying.getStore();
    if (said === undefined) return write.apply(this, given);
    said[name] += String(given[0]);
    return true;
  } as typeof write;
  return () => {
    stream.write = write;
  };
}
