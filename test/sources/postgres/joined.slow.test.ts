import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
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

/** Orders of several days, of some of which the day is NULL; one order has no line. */
const DAYS = `(VALUES (1, '2025-01-02', 'a'), (2, '2025-01-02', 'b'), (3, '2025-02-01', 'c'), (4, '2025-02-01', NULL),
  (5, NULL, 'e'), (6, NULL, 'f'), (7, '2025-01-01', 'g''s')) o(id, day, who)`;
const LINES = '(VALUES (1, 1), (1, 2), (2, 3), (3, 4), (3, 5), (3, 6), (5, 7), (6, 8), (7, 9)) l(id, line)';

const parted = (by: readonly string[], counted = 'count(*)') =>
  joined(
    async (_run, range) => `SELECT * FROM ${DAYS} WHERE ${range.of(by)} ORDER BY ${by.join(', ')}, id`,
    async (_run, range) =>
      `SELECT id, line FROM ${DAYS} JOIN ${LINES} USING (id) WHERE ${range.of(by)} ORDER BY ${by.join(', ')}, id, line`,
    {
      name: 'orders',
      on: 'id',
      partitionBy: {
        key: by,
        groups: `SELECT ${by.join(', ')}, ${counted} AS rows FROM ${DAYS} LEFT JOIN ${LINES} USING (id) GROUP BY ${by.join(', ')} ORDER BY ${by.join(', ')}`,
      },
    },
  );

async function snapshotRun(t: TestContext): Promise<Run> {
  const database = await testDatabase(t);
  const holder = await database.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const { rows } = await holder.query('SELECT pg_export_snapshot() AS snapshot');
  return sinkRun(t, database, rows[0].snapshot);
}

test('in parts no group is torn, NULL is a group like any other, and all parts give what the whole gives', async (t) => {
  const run = await snapshotRun(t);
  for (const by of [['day'], ['day', 'who'], ['who', 'day']]) {
    const source = parted(by);
    const whole = await all(source, run);
    assert.equal(whole.length, 10);
    for (const rows of [1, 2, 4, 9]) {
      const cut = await source.cut?.(run, { known: [], readers: 2, partBytes: rows * 64 });
      assert.ok(cut !== undefined && !('rows' in cut), `${by} by ${rows}`);
      const parts: Row[][] = [];
      for await (const part of cut.parts()) {
        const its: Row[] = [];
        for await (const chunk of (await cut.part(part)).read(run)) its.push(...chunk);
        assert.deepEqual([part.end - part.start, part.lines], [its.length, its.length]);
        parts.push(its);
      }
      assert.ok(parts.length > 1);
      assert.deepEqual(parts.flat(), whole);
      const groups = parts.map(
        (its) => new Set(its.map((row) => JSON.stringify(by.map((column) => row[column])))),
      );
      assert.equal(
        groups.reduce((sum, { size }) => sum + size, 0),
        new Set(groups.flatMap((each) => [...each])).size,
      );
    }
  }
});

test('a part that has other rows than its groups were counted to have is refused, as is a count that is none', async (t) => {
  const run = await snapshotRun(t);
  const few = await parted(['day'], '1').cut?.(run, { known: [], readers: 2, partBytes: 64 });
  assert.ok(few !== undefined && !('rows' in few));
  await assert.rejects(
    async () => {
      for await (const part of few.parts()) for await (const _ of part.read(run));
    },
    isSluice('group_rows', /has 4 rows, and its groups were counted to have 1|has 3 rows/),
  );
  await assert.rejects(
    async () => parted(['day'], 'NULL::int').cut?.(run, { known: [], readers: 2, partBytes: 64 }),
    isSluice('group_rows'),
  );
  await assert.rejects(
    async () => parted(['day'], 'nonsense').check?.(run),
    isSluice('query_refused', /nonsense/),
  );
});

test('it is read in one piece where one session reads it, and where it has few rows; and says why', async (t) => {
  const run = await snapshotRun(t);
  for (const [how, why] of [
    [{ known: [], readers: 1 }, /one session/],
    [{ known: [], readers: 2 }, /few rows/],
  ] as const) {
    const cut = await parted(['day']).cut?.(run, how);
    assert.ok(cut !== undefined && 'rows' in cut);
    assert.match(cut.why ?? '', why);
    let rows = 0;
    for await (const chunk of cut.rows(run)) rows += chunk.length;
    assert.equal(rows, 10);
  }
});
