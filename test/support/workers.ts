import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Running, startSluice } from './cli.js';
import { testDatabase } from './database.js';
import { tempFolder } from './files.js';
import { HOSTS, type Written, writePipeline } from './threaded.js';
import { until } from './until.js';

/** In parts of 4 MiB, of which there are five. */
export const ROWS = 40_000;

const row = (id: number) => `${id % 5_000 === 7 ? 'no id' : id},${'x'.repeat(500)},10.0.0.1\n`;

/** The rows that are rejected. */
export const REJECTED = ROWS / 5_000;

/**
 * A stage that holds the first process to come to the row `id`, which takes the file `hold` away: until `held` is gone.
 * `behind`: that file of another such stage, in which another process has to be held first.
 */
export const holds = (
  id: number,
  hold = 'hold',
  held = 'held',
  behind?: string,
): string => `stateless(async function* ${hold}(rows) {
    const other = () => ${behind === undefined ? 'true' : `existsSync('${behind}') && readFileSync('${behind}', 'utf8')`};
    for await (const chunk of rows) {
      if (chunk.some((row) => row.id === '${id}') && existsSync('${hold}')) {
        while (!other()) await sleep(50);
        if (other() === String(process.pid)) {
          yield chunk;
          continue;
        }
        renameSync('${hold}', '${held}');
        writeFileSync('${held}', String(process.pid));
        while (existsSync('${held}')) await sleep(50);
      }
      yield chunk;
    }
  }),`;

/**
 * Workers and runs of the pipeline at `path` as processes of their own, in the folder `cwd`; a stage of `holds` holds one of
 * them. They are gone when the test ends.
 */
export function processes(
  t: TestContext,
  {
    cwd,
    path,
    env,
  }: { readonly cwd: string; readonly path: string; readonly env: Readonly<Record<string, string>> },
) {
  const start = (...args: string[]): Running => {
    const running = startSluice(args, { cwd, env });
    t.after(() => {
      running.child.kill('SIGCONT');
      running.child.kill('SIGKILL');
    });
    return running;
  };
  return {
    cwd,
    path,
    env,
    start,
    /** A process that comes to such a row is to be held. */
    hold: (name = 'hold') => writeFileSync(join(cwd, name), ''),
    /** Waits until one is; its process. */
    held: (name = 'held') =>
      until('a worker that is held', async () => {
        try {
          return Number(readFileSync(join(cwd, name), 'utf8')) || undefined;
        } catch {
          return undefined;
        }
      }),
    release: (name = 'held') => rmSync(join(cwd, name)),
    /** Starts a worker, which is ready when the promise resolves. */
    async worker(...args: string[]): Promise<Running> {
      const running = start('worker', path, ...args);
      await running.said('waits for parts');
      return running;
    },
    run: (...args: string[]) =>
      start('run', path, '--workers', '--max-rejects', '100', '--yes', '--json', ...args),
  };
}

/** A table, a file of hosts, and a pipeline that loads it and says in `thread` which process did it. `more`: variables. */
export async function hosts(
  t: TestContext,
  written: Written = {},
  more: Readonly<Record<string, string>> = {},
) {
  const database = await testDatabase(t);
  await database.query(HOSTS);
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'hosts.csv'),
    `id,name,address\n${Array.from({ length: ROWS }, (_, i) => row(i)).join('')}`,
  );
  const path = writePipeline(cwd, { thread: 'process.pid', ...written });
  return {
    database,
    ...processes(t, { cwd, path, env: { SLUICE_DATABASE_URL: database.url, ...more } }),
    /** What is in the table, and by which processes. */
    async loaded() {
      const [all] = await database.query<{ n: number; ids: number }>(
        'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM hosts',
      );
      const by = await database.query<{ thread: number }>('SELECT DISTINCT thread FROM hosts');
      return { ...all, by: by.map(({ thread }) => thread) };
    },
  };
}

/** All rows but the rejected ones, each once. */
export const ALL = { n: ROWS - REJECTED, ids: ROWS - REJECTED };
