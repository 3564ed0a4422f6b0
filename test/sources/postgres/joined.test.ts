import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { originOf, type Row } from '../../../src/core/row.js';
import { changedRun, type Run } from '../../../src/core/run.js';
import type { Source } from '../../../src/core/types.js';
import { type JoinedOptions, joined } from '../../../src/sources/postgres/joined.js';
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
  until('the end of the reading sessions', async () => {
    const left = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'read %'",
    );
    return left.length === 0;
  });

const ON: JoinedOptions = { name: 'orders and lines', on: 'id' };
const orders = (rows: string) => `SELECT * FROM (${rows}) o(id, who) ORDER BY id`;
const lines = (rows: string) => `SELECT * FROM (${rows}) l(id, what) ORDER BY id, what`;

test('an outer row comes with each of its inner ones, and once with nulls where it has none, before, between and after', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  const rows = await all(
    joined(
      orders("VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd')"),
      lines("VALUES (2, 'x'), (2, 'y'), (3, NULL)"),
      ON,
    ),
    run,
  );
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { id: '1', who: 'a', what: null },
      { id: '2', who: 'b', what: 'x' },
      { id: '2', who: 'b', what: 'y' },
      { id: '3', who: null, what: null },
      { id: '4', who: 'd', what: null },
    ].map((row, at) => ({ ...row, [Symbol.for('sluice.origin')]: at + 1 })),
  );
});

test('no outer row, no rows; and no inner one at all', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  const none = "SELECT 1, 'a' WHERE false";
  assert.deepEqual(await all(joined(orders(none), lines(none), ON), run), []);
  const rows = await all(joined(orders("VALUES (1, 'a')"), lines(none), ON), run);
  assert.deepEqual(
    rows.map(({ id, who, what }) => [id, who, what]),
    [['1', 'a', null]],
  );
});

test('names that mean something to JavaScript are columns like any other', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  const [row] = await all(
    joined(
      `SELECT 1 AS "__proto__", 2 AS "constructor"`,
      `SELECT 1 AS "__proto__", 3 AS "a""b", 4 AS "toString"`,
      {
        on: '__proto__',
      },
    ),
    run,
  );
  assert.deepEqual(Object.entries(row as Row), [
    ['__proto__', '1'],
    ['constructor', '2'],
    ['a"b', '3'],
    ['toString', '4'],
  ]);
});

test('it gives what the one query with a LEFT JOIN gives, however many rows belong together', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  await database.query(
    'CREATE TABLE o (id int PRIMARY KEY, who text); CREATE TABLE l (id int, what text, n int)',
  );
  // More than a piece of COPY's text, and than a chunk, of each.
  const counts = fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 200, max: 3000 }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(counts, { maxLength: 1500 }), async (sizes) => {
      await database.query('TRUNCATE o, l');
      await database.query(
        `INSERT INTO o SELECT n, repeat('w', (n % 50)::int) FROM unnest($1::int[]) WITH ORDINALITY s(size, n)`,
        [sizes],
      );
      await database.query(
        `INSERT INTO l SELECT n, chr(9) || n || 'ü', k FROM unnest($1::int[]) WITH ORDINALITY s(size, n), generate_series(1, size) k`,
        [sizes],
      );
      const rows = await all(
        joined('SELECT * FROM o ORDER BY id', 'SELECT * FROM l ORDER BY id, n', { on: 'id' }),
        run,
      );
      const wanted = await database.query(
        'SELECT o.id::text, who, what, n::text FROM o LEFT JOIN l USING (id) ORDER BY o.id, l.n',
      );
      assert.deepEqual(
        rows.map((row) => ({ ...row, [Symbol.for('sluice.origin')]: undefined })),
        wanted.map((row) => ({ ...row, [Symbol.for('sluice.origin')]: undefined })),
      );
      assert.deepEqual(
        rows.map(originOf),
        rows.map((_, at) => at + 1),
      );
    }),
    { numRuns: 8 },
  );
});

test('an inner row that no outer row in its place belongs to refuses the reading, and ends its sessions', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const four = orders("VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')");
  for (const [inner, row] of [
    ['SELECT * FROM (VALUES (3), (1)) l(id)', 2],
    ['SELECT * FROM (VALUES (5)) l(id)', 1],
    ['SELECT * FROM (VALUES (1), (NULL)) l(id)', 2],
  ] as const)
    await assert.rejects(
      all(joined(four, inner, ON), run),
      isSluice('join_order', new RegExp(`row ${row} of its inner query has a id`)),
    );
  await sessionsGone(database);
});

test('a mistake in either query, a column that both have and one that is declared and missing are refused by the check', async (t) => {
  const run = sinkRun(t, await testDatabase(t));
  const outer = 'SELECT 1 AS id, 2 AS a';
  const check = (a: string, b: string, options: JoinedOptions = ON) => joined(a, b, options).check?.(run);
  await assert.rejects(async () => check(outer, 'SELECT 1 AS id, nonsense'), isSluice('query_refused'));
  await assert.rejects(async () => check('SELECT 1 AS id, nonsense', outer), isSluice('query_refused'));
  await assert.rejects(
    async () => check(outer, 'SELECT 1 AS id, 3 AS a'),
    isSluice('duplicate_column', /"a"/),
  );
  await assert.rejects(async () => check(outer, 'SELECT 1 AS b'), isSluice('unknown_column', /id/));
  await assert.rejects(
    async () => check(outer, 'SELECT 1 AS id, 3 AS b', { ...ON, columns: ['c'] }),
    isSluice('unknown_column', /\bc\b/),
  );
  await check(outer, 'SELECT 1 AS id, 3 AS b -- the end\n;', { ...ON, columns: ['a', 'b', 'id'] });
});

test('a reader that stops early ends both queries; a session that is killed is a lost connection', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  const many = 'SELECT n AS id FROM generate_series(1, 5000000) n';
  const source = joined(many, many, ON);
  for await (const _ of source.read(run)) break;
  await sessionsGone(database);
  await assert.rejects(async () => {
    for await (const chunk of source.read(run))
      if (originOf(chunk[0] as Row) === 1)
        await database.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'read %'",
        );
  }, isSluice('connection_lost'));
  await sessionsGone(database);
});

test('both queries see one state of the database', async (t) => {
  const database = await testDatabase(t);
  const run = sinkRun(t, database);
  await database.query('CREATE TABLE o (id int); CREATE TABLE l (id int)');
  await database.query('INSERT INTO o SELECT generate_series(1, 20000); INSERT INTO l SELECT id FROM o');
  let rows = 0;
  // Somebody writes when the outer query is under way, and the inner one has no session yet.
  let reading = 0;
  const writing = changedRun(run, {
    database: {
      ...run.database,
      async connect(purpose) {
        if (purpose.startsWith('read ') && ++reading === 2)
          await database.query('INSERT INTO o VALUES (20001); INSERT INTO l VALUES (20001), (20001)');
        return run.database.connect(purpose);
      },
    },
  });
  const source = joined('SELECT id FROM o ORDER BY id', 'SELECT id FROM l ORDER BY id', ON);
  for await (const chunk of source.read(writing)) rows += chunk.length;
  assert.equal(reading, 2);
  assert.equal(rows, 20000);
});
