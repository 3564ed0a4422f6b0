import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { replace } from '../../src/core/target.js';
import { PgDatabase } from '../../src/db/connect.js';
import { acquireEmbedded } from '../../src/db/embedded/index.js';
import { ident } from '../../src/db/quote.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { runPipeline } from '../../src/run/run.js';
import { loads } from '../support/engine.js';
import { testServerOptions } from '../support/server.js';
import { type Load, startLoad, type Worker } from './load.js';

// npm run soak [-- --swaps 50 --seconds 300]: swaps two tables again and again through the real engine, under
// readers and writers that never pause, and fails where one of them saw two generations or an error.

const { values } = parseArgs({
  options: { swaps: { type: 'string', default: '50' }, seconds: { type: 'string', default: '300' } },
});
const wanted = Number(values.swaps);
const until = performance.now() + Number(values.seconds) * 1000;

const PARENTS = 200;
const CHILDREN = 3 * PARENTS;

const SYSTEM = `
CREATE TABLE parents (id int PRIMARY KEY, generation int NOT NULL);
CREATE TABLE children (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parents, generation int NOT NULL);
CREATE INDEX ON children (parent_id);
CREATE VIEW family AS SELECT p.generation, c.generation AS child_generation FROM parents p JOIN children c ON c.parent_id = p.id;
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id int NOT NULL REFERENCES parents);
CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL);
INSERT INTO parents SELECT i, 0 FROM generate_series(1, ${PARENTS}) i;
INSERT INTO children SELECT i, 1 + i % ${PARENTS}, 0 FROM generate_series(1, ${CHILDREN}) i;
INSERT INTO counters SELECT i, 0 FROM generate_series(1, 20) i;
`;

const WORKERS: readonly Worker[] = [
  {
    name: 'reads of one table',
    sql: () => 'SELECT min(generation) AS least, max(generation) AS most, count(*)::int AS n FROM parents',
    rows: PARENTS,
  },
  {
    name: 'reads of a view',
    sql: () =>
      'SELECT least(min(generation), min(child_generation)) AS least, greatest(max(generation), max(child_generation)) AS most, count(*)::int AS n FROM family',
    rows: CHILDREN,
  },
  {
    name: 'joins of both tables',
    sql: () =>
      'SELECT least(min(p.generation), min(c.generation)) AS least, greatest(max(p.generation), max(c.generation)) AS most, count(*)::int AS n FROM parents p JOIN children c ON c.parent_id = p.id',
    rows: CHILDREN,
  },
  {
    name: 'inserts of rows that refer to a swapped table',
    sql: (n) => `INSERT INTO events (parent_id) VALUES (${1 + (n % PARENTS)})`,
  },
  {
    name: 'updates of another table',
    sql: (n) => `UPDATE counters SET n = n + 1 WHERE id = ${1 + (n % 20)}`,
  },
];

const given = process.env.SLUICE_TEST_URL;
const server = given === undefined ? await acquireEmbedded(testServerOptions()) : undefined;
try {
  process.exitCode = await soak(given ?? (server?.url as string));
} finally {
  await server?.release();
}

async function soak(serverUrl: string): Promise<number> {
  const name = `soak_${process.pid}`;
  const admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${ident(name)} TEMPLATE template0`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  let load: Load | undefined;
  try {
    const setUp = new pg.Client({ connectionString: url.href });
    await setUp.connect();
    await setUp.query(SYSTEM);
    await setUp.end();
    load = await startLoad(url.href, WORKERS);
    const { swaps, locked, failures } = await swapAgainAndAgain(url.href);
    const workers = await load.stop();
    load = undefined;
    return report(swaps, locked, failures, workers);
  } finally {
    await load?.stop();
    await admin.query(`DROP DATABASE IF EXISTS ${ident(name)} WITH (FORCE)`);
    await admin.end();
  }
}

async function swapAgainAndAgain(url: string) {
  const locked: number[] = [];
  const failures: string[] = [];
  let swaps = 0;
  while (swaps + failures.length < wanted && performance.now() < until) {
    const generation = swaps + failures.length + 1;
    const database = new PgDatabase({ url, described: 'soak', from: 'soak' });
    const pipeline = loads({
      parents: [
        replace('parents', { columns: ['id', 'generation'] }),
        Array.from({ length: PARENTS }, (_, i) => ({ id: i + 1, generation })),
      ],
      children: [
        replace('children', { columns: ['id', 'parent_id', 'generation'] }),
        Array.from({ length: CHILDREN }, (_, i) => ({
          id: i + 1,
          parent_id: 1 + ((i + 1) % PARENTS),
          generation,
        })),
      ],
    });
    try {
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const { summary } = await runPipeline(pipeline, { database, log });
      locked.push(summary.lock_ms ?? 0);
      swaps += 1;
      for (const leftover of await findLeftovers(database, 0)) await dropLeftover(database, leftover);
    } catch (error) {
      failures.push(String((error as Error).message));
    } finally {
      await database.close();
    }
    await sleep(20);
  }
  return { swaps, locked, failures };
}

function report(
  swaps: number,
  locked: readonly number[],
  failures: readonly string[],
  workers: Awaited<ReturnType<Load['stop']>>,
): number {
  const sum = (of: (worker: (typeof workers)[number]) => number) =>
    workers.reduce((total, worker) => total + of(worker), 0);
  const sorted = [...locked].sort((a, b) => a - b);
  const ms = (n: number | undefined) => `${(n ?? 0).toFixed(1)} ms`;
  for (const { name, done, worstMs, mixed, errors } of workers)
    console.log(
      `${name}: ${done}, worst ${ms(worstMs)}, mixed generations ${mixed}, errors ${errors.length}${errors.length > 0 ? `: ${[...new Set(errors)].join('; ')}` : ''}`,
    );
  const deadlocks = sum(({ errors }) => errors.filter((error) => error.startsWith('40P01')).length);
  console.log(
    `${swaps} swaps of two tables; locked for ${ms(sorted[Math.floor(sorted.length / 2)])} (median), ${ms(sorted.at(-1))} (worst); failed: ${failures.length}${failures.length > 0 ? `: ${[...new Set(failures)].join('; ')}` : ''}`,
  );
  console.log(
    `mixed generations ${sum(({ mixed }) => mixed)}, errors ${sum(({ errors }) => errors.length)}, deadlocks ${deadlocks}`,
  );
  const bad = sum(({ mixed, errors }) => mixed + errors.length) + failures.length;
  if (swaps + failures.length < wanted)
    console.log(`only ${swaps} of ${wanted} swaps in the time given (--seconds)`);
  return bad === 0 && swaps > 0 ? 0 : 1;
}
