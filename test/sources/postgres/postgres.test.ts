import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originOf, type Row } from '../../../src/core/row.js';
import type { Run } from '../../../src/core/run.js';
import type { Source } from '../../../src/core/types.js';
import { query } from '../../../src/sources/postgres/index.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { isSluice } from '../../support/said.js';
import { sinkRun } from '../../support/sink-run.js';
import { until } from '../../support/until.js';

async function all(source: Source, run: Run): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const chunk of source.read(run)) {
    assert.ok(chunk.length > 0, 'a chunk is never empty');
    rows.push(...chunk);
  }
  return rows;
}

const sessionsGone = (database: TestDatabase) =>
  until('the end of the reading session', async () => {
    const left = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'read %'",
    );
    return left.length === 0;
  });

test('a mistake in the query is named with its line and character', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  await assert.rejects(
    async () => query('SELECT 1 AS a,\n  nonsense FROM pg_class', { name: 'old' }).check?.(run),
    isSluice('query_refused', /query old: .*nonsense.* at line 2, character 3/, /42703/),
  );
});

test('a declared column that the query lacks, and one that it has twice, are refused by the check', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  const lacking = query('SELECT 1 AS serial_number', { columns: ['serial_numbr'] });
  await assert.rejects(
    async () => lacking.check?.(run),
    isSluice('unknown_column', /did you mean \\"serial_number\\"/),
  );
  const doubled = query('SELECT 1 AS a, 2 AS a');
  await assert.rejects(async () => doubled.check?.(run), isSluice('duplicate_column', /"a"/));
  await query('SELECT 1 AS a -- the end\n;\n', { columns: ['a'] }).check?.(run);
});

test('a row that the query itself fails on ends the reading with its error', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  await assert.rejects(
    all(query('SELECT 1 / (5000 - n) AS a FROM generate_series(1, 6000) n', { name: 'old' }), run),
    isSluice('query_failed', /division by zero/, /22012/),
  );
  await sessionsGone(database);
});

test('a query cannot write', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE SEQUENCE s');
  await assert.rejects(
    all(query("SELECT nextval('s') AS a"), sinkRun(t, database)),
    isSluice('query_failed', /25006/),
  );
});

test('a backend that is killed in mid-reading is a lost connection, not a short read', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  await assert.rejects(async () => {
    for await (const chunk of query('SELECT generate_series(1, 5000000) AS n').read(run)) {
      if (originOf(chunk[0] as Row) === 1) {
        await database.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'read %'",
        );
      }
    }
  }, isSluice('connection_lost'));
  await sessionsGone(database);
});

test('a reader that stops early cancels the query', async (t) => {
  const database = await testDatabase(t);
  for await (const chunk of query('SELECT generate_series(1, 500000000) AS n').read(sinkRun(t, database))) {
    assert.equal(chunk[0]?.n, '1');
    break;
  }
  await sessionsGone(database);
});

test('an abort ends the wait for a query that has no row yet', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  setTimeout(() => run.stop(), 100);
  await assert.rejects(all(query('SELECT pg_sleep(60)::text AS a'), run), isSluice('interrupted'));
  await sessionsGone(database);
});

test('no rows, no chunks', async (t) => {
  assert.deepEqual(await all(query('SELECT 1 AS a WHERE false'), sinkRun(t, await testDatabase(t))), []);
});

test('every value comes as lossless text, and every text as it is', async (t) => {
  const database = await testDatabase(t);
  const nasty = [
    'tab\t',
    'line\nline\r\n',
    'back\\slash',
    '\\N',
    '\\',
    '',
    'é😀',
    '\u0001\u007f\b\f\v',
    'NULL',
    '__proto__',
  ];
  await database.query('CREATE TABLE texts (n int, t text)');
  for (const [n, text] of nasty.entries())
    await database.query('INSERT INTO texts VALUES ($1, $2)', [n, text]);
  const run = sinkRun(t, database);
  const rows = await all(query('SELECT t, NULL AS nothing FROM texts ORDER BY n'), run);
  assert.deepEqual(
    rows.map((row) => row.t),
    nasty,
  );
  assert.ok(rows.every((row) => row.nothing === null));
  assert.deepEqual(
    rows.map(originOf),
    nasty.map((_, i) => i + 1),
  );

  await database.query(`ALTER DATABASE ${database.name} SET DateStyle = 'German'`);
  const [values] = await all(
    query(`SELECT 9223372036854775807 AS i8, 0.1::float8 + 0.2 AS f8, 1.50::numeric AS n, '\\x00ff'::bytea AS b,
      timestamptz '2024-07-01 12:00:00.123456+02' AS tz, date '2024-12-25' AS d, interval '1 day 02:00' AS iv,
      true AS t, '{"a": "\\n"}'::json AS j, ARRAY['a"b', NULL] AS "__proto__"`),
    run,
  );
  assert.deepEqual(Object.entries(values as Row), [
    ['i8', '9223372036854775807'],
    ['f8', '0.30000000000000004'],
    ['n', '1.50'],
    ['b', '\\x00ff'],
    ['tz', '2024-07-01 10:00:00.123456+00'],
    ['d', '2024-12-25'],
    ['iv', '1 day 02:00:00'],
    ['t', 't'],
    ['j', '{"a": "\\n"}'],
    ['__proto__', '{"a\\"b",NULL}'],
  ]);
});

test('rows of many pieces come whole, in order, once, and chunks stay small', async (t) => {
  const database = await testDatabase(t);
  let next = 1;
  let largest = 0;
  const sql =
    "SELECT n, repeat('ü', n % 50) AS t, CASE WHEN n % 3 = 0 THEN 'x' END AS m FROM generate_series(1, 60000) n ORDER BY n";
  const run = sinkRun(t, database);
  for await (const chunk of query(sql, { rows: 60000 }).read(run)) {
    largest = Math.max(largest, chunk.length);
    for (const row of chunk) {
      assert.deepEqual(
        [row.n, (row.t as string).length, row.m],
        [String(next), next % 50, next % 3 === 0 ? 'x' : null],
      );
      assert.equal(originOf(row), next++);
    }
  }
  assert.equal(next, 60001);
  assert.ok(largest <= 4096, `${largest}`);
  assert.deepEqual(run.positions.at(-1), { rows: 60000, of: 60000 });
});

test('a value longer than any buffer comes whole', async (t) => {
  const rows = await all(
    query("SELECT n, repeat('y', n * 1000000) AS t FROM generate_series(1, 5) n"),
    sinkRun(t, await testDatabase(t)),
  );
  assert.deepEqual(
    rows.map((row) => (row.t as string).length),
    [1e6, 2e6, 3e6, 4e6, 5e6],
  );
});

test('all readers of a run see the snapshot that it exported', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE old (n int)');
  const holder = await database.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const exported = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  await database.query('INSERT INTO old VALUES (1)');
  const sql = 'SELECT n FROM old';
  assert.deepEqual(await all(query(sql), sinkRun(t, database, exported.rows[0]?.id)), []);
  assert.equal((await all(query(sql), sinkRun(t, database))).length, 1);
});
