import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { flow } from '../../../src/core/flow.js';
import { type Pipeline, pipeline } from '../../../src/core/pipeline.js';
import { append } from '../../../src/core/target.js';
import { named, type Source, type Stage, stateless } from '../../../src/core/types.js';
import { planPipeline } from '../../../src/run/check.js';
import { type QueryOptions, query } from '../../../src/sources/postgres/index.js';
import { PART_ROWS, type Range } from '../../../src/sources/ranges.js';
import { validate } from '../../../transforms/validate.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { type Options, openDatabase, runOn } from '../../support/lots.js';
import { sinkRun } from '../../support/sink-run.js';
import { thrown } from '../../support/thrown.js';
import { until } from '../../support/until.js';

const COUNT = 8_000;
/** Parts of 64 KiB, the smallest that there are. */
const OPTIONS: Options = { segmentBytes: 1, jobs: 2, maxRejects: { rows: 10_000 } };

const OLD = `
CREATE TABLE old_hosts (id integer PRIMARY KEY, name text, address text);
INSERT INTO old_hosts SELECT n, CASE WHEN n % 70 > 0 THEN 'host ' || n || repeat('x', n % 60) END,
  CASE WHEN n % 500 = 0 THEN 'nowhere' ELSE '10.0.0.1' END FROM generate_series(1, ${COUNT}) n;
CREATE TABLE hosts (id integer PRIMARY KEY, name text NOT NULL, address inet);
ANALYZE old_hosts`;

const SQL = 'SELECT id, name, address FROM old_hosts';

function hosts(options: Pick<QueryOptions, 'order' | 'partBy'>, ...stages: Stage[]): Pipeline {
  return pipeline({
    name: 'hosts',
    summary: 'Hosts.',
    inputs: { old: query(SQL, { name: 'old', ...options }) },
    tables: { hosts: append('hosts', { columns: ['id', 'name', 'address'] }) },
    flows: ({ inputs, tables }) => {
      let way = flow(inputs.old as Source).through(validate({ type: 'object', required: ['name'] }) as Stage);
      for (const stage of stages) way = way.through(stage);
      return [way.into(tables.hosts as never)];
    },
  });
}

async function old(t: TestContext): Promise<TestDatabase> {
  const made = await testDatabase(t);
  await made.query(OLD);
  return made;
}

const idsWithout = (out: (id: number) => boolean) =>
  Array.from({ length: COUNT }, (_, i) => i + 1).filter((id) => !out(id));

const isRefused = (id: number) => id % 70 === 0 || id % 500 === 0;

async function assertLoaded(made: TestDatabase): Promise<void> {
  const rows = await made.query<{ id: number }>('SELECT id FROM hosts ORDER BY id');
  assert.deepEqual(
    rows.map(({ id }) => id),
    idsWithout(isRefused),
  );
  const rejects = await made.query<{ line: string; id: number | null; sqlstate: string | null }>(
    "SELECT line, (raw ->> 'id')::int AS id, sqlstate FROM sluice.migration_reject",
  );
  const refused = Array.from({ length: COUNT }, (_, i) => i + 1).filter(isRefused);
  assert.equal(rejects.length, refused.length);
  // The record of a row that the server refused is known only where it came by a moment ago.
  assert.ok(rejects.every(({ id, sqlstate }) => (id === null ? sqlstate !== null : isRefused(id))));
  assert.equal(new Set(rejects.map(({ line }) => line)).size, rejects.length);
}

/** The number of each row of the old table, by where it lies there. */
async function placesIn(t: TestContext, made: TestDatabase): Promise<ReadonlyMap<number, number>> {
  const holder = await made.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows: exported } = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  const run = sinkRun(t, made, exported[0]?.id);
  const cut = await query(SQL).cut?.(run, { known: [], readers: 2, partBytes: 64 << 10 });
  assert.ok(cut !== undefined && 'parts' in cut);
  const places = new Map<number, number>();
  for await (const { start, of } of cut.parts()) {
    const { from = 0, to } = of as Range;
    const rows = await made.query<{ id: number }>(
      `SELECT id FROM old_hosts WHERE ctid >= '(${from},0)' AND ctid < '(${to},0)' ORDER BY ctid`,
    );
    for (const [at, { id }] of rows.entries()) places.set(id, start + at + 1);
  }
  return places;
}

test('a query is loaded in parts by two sessions: each row once, each reject with the number of its row', async (t) => {
  const made = await old(t);
  const { summary, logged } = await runOn(t, made, hosts({}), OPTIONS);
  assert.equal(summary.status, 'completed');
  assert.ok(logged.some(({ message }) => /^old is read in \d+ parts by where rows lie/.test(message)));
  await assertLoaded(made);
  const places = await placesIn(t, made);
  assert.ok(Math.max(...places.values()) > 2 * PART_ROWS);
  assert.equal(places.size, COUNT);
  const rejects = await made.query<{ line: number; id: number }>(
    "SELECT line::float8 AS line, (raw ->> 'id')::int AS id FROM sluice.migration_reject",
  );
  const known = rejects.filter(({ id }) => id !== null);
  assert.ok(known.length > COUNT / 100);
  for (const { line, id } of known) assert.equal(line, places.get(id), `row ${id}`);
  assert.deepEqual(
    [summary.read, summary.loaded, summary.rejected],
    [COUNT, { hosts: idsWithout(isRefused).length }, COUNT - idsWithout(isRefused).length],
  );
});

test('with one session, and with a stage that remembers, a query is read in one piece as ever', async (t) => {
  const made = await old(t);
  const { logged } = await runOn(t, made, hosts({}), { ...OPTIONS, jobs: 1 });
  assert.ok(!logged.some(({ message }) => /^old is read in \d+ parts/.test(message)));
  await assertLoaded(made);
  const [last] = await made.query('SELECT max(line)::int AS line FROM sluice.migration_reject');
  assert.ok((last?.line as number) <= COUNT);
});

/** Passes rows on until so many have come; then it waits for two parts, and ends the sessions whose name matches. */
function breaking(made: TestDatabase, at: number, sessions: string): Stage {
  let seen = 0;
  return stateless(
    named('breaking', async function* (rows) {
      for await (const chunk of rows) {
        const before = seen;
        seen += chunk.length;
        if (before < at && seen >= at) {
          await until(
            'two parts',
            async () => (await made.query('SELECT FROM sluice.migration_part')).length > 1,
          );
          await made.query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name ~ $1`,
            [sessions],
          );
        }
        yield chunk;
      }
    }),
  );
}

const resting: Stage = stateless(named('breaking', (rows) => rows));

async function brokenOff(
  t: TestContext,
  options: Pick<QueryOptions, 'order' | 'partBy'>,
  sessions: string,
): Promise<TestDatabase> {
  const made = await old(t);
  const error = await thrown(runOn(t, made, hosts(options, breaking(made, COUNT / 2, sessions)), OPTIONS));
  assert.equal(error.code, 'connection_lost');
  assert.ok((await made.query('SELECT FROM sluice.migration_part')).length > 1);
  return made;
}

test('a load in parts whose sessions are lost goes on: known parts are compared, missing ones are loaded', async (t) => {
  for (const [options, sessions] of [
    [{}, 'batch [0-9]+ load'],
    [{ partBy: 'id' }, '^sluice read'],
  ] as const) {
    const made = await brokenOff(t, options, sessions);
    const { summary } = await runOn(t, made, hosts(options, resting), { ...OPTIONS, resume: '1' });
    assert.equal(summary.status, 'completed');
    await assertLoaded(made);
    assert.equal(summary.read, COUNT);
  }
});

for (const [what, change, declare] of [
  ['was changed', "UPDATE old_hosts SET name = 'another' WHERE id = $1", test],
  ['was deleted', 'DELETE FROM old_hosts WHERE id = $1', long],
  ['was added', 'INSERT INTO old_hosts SELECT -id FROM old_hosts WHERE id = $1', long],
] as const)
  declare(
    `a row that ${what} in a known part since ends the resumed load, and nothing is published`,
    async (t) => {
      const made = await brokenOff(t, { partBy: 'id' }, 'batch [0-9]+ load');
      const [known] = await made.query<{ key: number }>(
        `SELECT (SELECT min(id) FROM old_hosts WHERE id >= coalesce((note ->> 'from')::int, 0) AND name IS NOT NULL)::int AS key
       FROM sluice.migration_part WHERE note ->> 'nulls' IS NULL ORDER BY starts_at LIMIT 1`,
      );
      await made.query(change, [known?.key]);
      const error = await thrown(
        runOn(t, made, hosts({ partBy: 'id' }, resting), { ...OPTIONS, resume: '1' }),
      );
      assert.equal(error.code, 'not_repeatable');
      assert.deepEqual(await made.query('SELECT FROM hosts'), []);
    },
  );

test('a plan says how a query would be read, and why not in parts', async (t) => {
  const made = await old(t);
  await made.query(
    `INSERT INTO old_hosts SELECT n, repeat('h', 500), '10.0.0.2' FROM generate_series(${COUNT + 1}, ${COUNT + 40_000}) n; ANALYZE old_hosts`,
  );
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const read = async (of: Pipeline) => {
    const { plan } = await planPipeline(of, { database: openDatabase(t, made), log, jobs: 2 });
    return plan.inputs[0]?.read;
  };
  assert.match(
    (await read(hosts({}))) ?? '',
    /^in \d+ parts by where rows lie in public\.old_hosts, 2 at a time$/,
  );
  assert.match((await read(hosts({ order: 'id' }))) ?? '', /^in one piece: it promises an order \(id\)$/);
  const remembering: Stage = named('remembering', (rows) => rows);
  assert.match(
    (await read(hosts({}, remembering))) ?? '',
    /^in one piece: remembering does not say that it is stateless$/,
  );
});
