import { type ChildProcess, spawn } from 'node:child_process';
import { until } from '../../support/until.js';
import { median } from '../contest.js';
import type { Place } from '../place.js';
import { cpuOf, cpuOfAll } from './cpu.js';
import type { Load } from './model.js';

/** What is loaded, and the names that workers are started with. */
export interface Work {
  readonly name: string;
  readonly workers: readonly string[];
  readonly run: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One run with so many workers, each with so many parts at a time; without workers, so many sessions. Seconds. */
export interface Run {
  readonly workers: number;
  readonly jobs: number;
  readonly load: number;
  readonly whole: number;
  /** CPU of all workers, of the server, and of the starter's process. */
  readonly workerCpu: number;
  readonly serverCpu: number;
}

/**
 * Loads and publishes once with so many workers (0: as one host does without any), on a database that is made anew. Throws
 * with the end of what a process said where it fails.
 */
export async function runOnce(
  place: Place,
  work: Work,
  { workers, jobs }: Pick<Run, 'workers' | 'jobs'>,
  postmaster: number,
): Promise<Run> {
  const helpers = await Promise.all(
    Array.from({ length: workers }, async () => {
      const { child, said } = start(place, ['worker', ...work.workers, '--jobs', String(jobs)], work.env);
      await heard(child, said, 'waits for parts');
      return child;
    }),
  );
  try {
    const before = { server: cpuOfAll(postmaster), workers: helpers.map(({ pid }) => cpuOf(pid as number)) };
    const more = workers === 0 ? ['--jobs', String(jobs)] : ['--workers'];
    const { child, said, out } = start(place, [...work.run, ...more, '--yes', '--quiet', '--json'], work.env);
    await ended(child, work, said);
    const summary = JSON.parse(out()) as { seconds: number; timings: Record<string, number> };
    return {
      workers,
      jobs,
      load: summary.timings.load as number,
      whole: summary.seconds,
      serverCpu: cpuOfAll(postmaster) - before.server,
      workerCpu: helpers.reduce(
        (sum, { pid }, at) => sum + cpuOf(pid as number) - (before.workers[at] as number),
        0,
      ),
    };
  } finally {
    await Promise.all(
      helpers.map(async (child) => {
        const ended = new Promise((resolve) => child.on('close', resolve));
        child.kill('SIGTERM');
        await ended;
      }),
    );
  }
}

/** How long the queue is looked at to be sure that no further part comes. */
const STILL_MS = 2_000;

/** How many parts the work has, and in how many seconds the starter cuts and enqueues one: asked where no worker takes any. */
export async function cutOnce(
  place: Place,
  work: Work,
): Promise<{ readonly parts: number; readonly cutSeconds: number }> {
  const { child, said } = start(place, [...work.run, '--workers', '--yes', '--quiet'], work.env);
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const count = async (table: string): Promise<number> => {
    if (child.exitCode !== null) throw new Error(`${work.name} ended with ${child.exitCode}:\n${said()}`);
    const [there] = await place.query(`SELECT to_regclass('sluice_queue.${table}') AS there`);
    if (there?.there == null) return 0;
    const [row] = await place.query(`SELECT count(*)::int AS n FROM sluice_queue.${table}`);
    return Number(row?.n);
  };
  try {
    await until('the flow in the queue', async () => (await count('sluice_flow')) > 0);
    const from = performance.now();
    let [parts, last] = [0, from];
    await until('parts in the queue', async () => {
      const now = await count('sluice_part');
      if (now > parts) [parts, last] = [now, performance.now()];
      return parts > 0 && performance.now() - last > STILL_MS;
    });
    return { parts, cutSeconds: (last - from) / 1000 / parts };
  } finally {
    child.kill('SIGINT');
    await closed;
  }
}

/** What the model needs to know, of runs with one worker. */
export function loadOf(
  runs: readonly Run[],
  { parts, cutSeconds }: { readonly parts: number; readonly cutSeconds: number },
): Load {
  const of = (figure: (run: Run) => number) => median(runs.map(figure));
  return {
    parts,
    cost: {
      seconds: of((run) => run.load / parts),
      workerCpu: of((run) => run.workerCpu / parts),
      serverCpu: of((run) => (run.serverCpu * run.load) / run.whole / parts),
    },
    cutSeconds,
    aloneSeconds: of((run) => run.whole - run.load),
  };
}

function start(place: Place, args: readonly string[], env: Readonly<Record<string, string>>) {
  const { program, args: all, cwd } = place.sluice(args);
  const child = spawn(program, [...all], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => {
    out += text;
  });
  child.stderr.on('data', (text) => {
    err = (err + text).slice(-4000);
  });
  return { child, out: () => out, said: () => err };
}

async function ended(child: ChildProcess, work: Work, said: () => string): Promise<void> {
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${work.name} ended with ${code}:\n${said()}`);
}

async function heard(child: ChildProcess, said: () => string, word: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (said().includes(word)) resolve();
    };
    child.stderr?.on('data', look);
    child.on('close', (code) => reject(new Error(`a worker ended with ${code}:\n${said()}`)));
    look();
  });
}
