import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { StageCounter } from '../../../src/core/accounting.js';
import type { Cut, CutOptions, MetPart, PartReader, Uncut } from '../../../src/core/parts.js';
import { originOf, type Row, type Rows } from '../../../src/core/row.js';
import type { Run } from '../../../src/core/run.js';
import type { Source } from '../../../src/core/types.js';
import { ident } from '../../../src/db/quote.js';
import { query } from '../../../src/sources/postgres/index.js';
import { PART_ROWS, type Range } from '../../../src/sources/ranges.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { testRole } from '../../support/role.js';
import { isSluice } from '../../support/said.js';
import { sinkRun } from '../../support/sink-run.js';
import { thrown } from '../../support/thrown.js';

/** Parts of the smallest size, for several readers. */
const SMALL: CutOptions = { known: [], readers: 2, partBytes: 64 << 10 };

/** A run of one moment, which an open transaction holds. */
async function momentOf(t: TestContext, database: TestDatabase): Promise<Run> {
  const holder = await database.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await holder.query<{ id: string }>('SELECT pg_export_snapshot() AS id');
  return sinkRun(t, database, rows[0]?.id);
}

const cutOf = async (source: Source, run: Run, how: CutOptions = SMALL): Promise<Cut | Uncut> =>
  (await source.cut?.(run, how)) as Cut | Uncut;

function isCut(cut: Cut | Uncut): asserts cut is Cut {
  assert.ok(!('rows' in cut), 'rows' in cut ? `in one piece: ${cut.why}` : '');
}

async function gathered(rows: Rows): Promise<Row[]> {
  const all: Row[] = [];
  for await (const chunk of rows) all.push(...chunk);
  return all;
}

interface ReadPart {
  readonly start: number;
  readonly of: Range;
  readonly rows: Row[];
}

/** Every part by its place alone, as another process is told of it, in any order. */
async function readParts(source: Source, cut: Cut, run: Run): Promise<ReadPart[]> {
  const parts: ReadPart[] = [];
  const told = JSON.parse(JSON.stringify(cut.opening));
  const reader = (await source.partReader?.(run, told)) as PartReader;
  for await (const { start, end, line, lines, of } of cut.parts()) {
    const part = await reader.part(JSON.parse(JSON.stringify({ start, end, line, lines, of })));
    const rows = await gathered(part.read(run));
    part.release();
    const origins = rows.map((row) => originOf(row) as number);
    assert.deepEqual(
      origins,
      rows.map((_, i) => line + i),
    );
    assert.ok(origins.every((origin) => origin < line + lines));
    assert.ok(start >= (parts.at(-1)?.start ?? -1) + 1);
    parts.push({ start, of: part.note?.() as Range, rows });
  }
  return parts;
}

const texts = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).sort();

/** The parts give what the query gives in one piece, each row once. */
async function assertSame(source: Source, run: Run, how?: CutOptions, least = 2): Promise<ReadPart[]> {
  const cut = await cutOf(source, run, how);
  isCut(cut);
  const parts = await readParts(source, cut, run);
  assert.ok(parts.length >= least, `${parts.length} parts`);
  assert.deepEqual(texts(parts.flatMap(({ rows }) => rows)), texts(await gathered(source.read(run))));
  return parts;
}

async function whyNot(source: Source, run: Run, how?: CutOptions): Promise<string> {
  const cut = await cutOf(source, run, how);
  assert.ok('rows' in cut, 'it is cut');
  assert.deepEqual(texts(await gathered(cut.rows(run))), texts(await gathered(source.read(run))));
  return cut.why ?? '';
}

const FILLED = `
CREATE TABLE orders (id integer PRIMARY KEY, place text, note text);
INSERT INTO orders SELECT n, chr(97 + n % 5) || n % 97, CASE WHEN n % 7 > 0 THEN repeat('x', n % 90) END FROM generate_series(1, 6000) n;
ANALYZE orders`;

async function filled(t: TestContext, more = ''): Promise<{ database: TestDatabase; run: Run }> {
  const database = await testDatabase(t);
  await database.query(`${FILLED}; ${more}`);
  return { database, run: await momentOf(t, database) };
}

test("a table's rows are read by where they lie, each once, whatever others write meanwhile", async (t) => {
  const { database, run } = await filled(t);
  const source = query('SELECT id, note FROM orders -- all of them', { name: 'orders' });
  const cut = await cutOf(source, run);
  isCut(cut);
  assert.match(cut.said ?? '', /^\d+ parts by where rows lie in public\.orders$/);
  await database.query('UPDATE orders SET note = id::text WHERE id % 3 = 0');
  await database.query('DELETE FROM orders WHERE id % 5 = 0');
  await database.query('INSERT INTO orders SELECT n FROM generate_series(10001, 12000) n');
  const parts = await readParts(source, cut, run);
  assert.ok(parts.length > 3, `${parts.length} parts`);
  assert.deepEqual(
    parts.flatMap(({ rows }) => rows.map(({ id }) => Number(id))).sort((a, b) => a - b),
    Array.from({ length: 6000 }, (_, i) => i + 1),
  );
  assert.equal(parts[2]?.start, 2 * PART_ROWS);
});

test('conditions, partitions, inherited tables, materialized views, subqueries of values and hostile names do not matter', async (t) => {
  const { database, run: _ } = await filled(
    t,
    `CREATE TABLE parted (id integer, k text) PARTITION BY RANGE (id);
     CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (2000);
     CREATE TABLE parted_b (k text, gone int, id integer);
     ALTER TABLE parted_b DROP COLUMN gone;
     ALTER TABLE parted ATTACH PARTITION parted_b FOR VALUES FROM (2000) TO (9000);
     INSERT INTO parted SELECT n, repeat('p', n % 60) FROM generate_series(1, 7000) n;
     CREATE TABLE parent (id integer, k text);
     CREATE TABLE child () INHERITS (parent);
     INSERT INTO parent SELECT n, repeat('q', 40) FROM generate_series(1, 3000) n;
     INSERT INTO child SELECT n, repeat('r', 40) FROM generate_series(3001, 9000) n;
     CREATE MATERIALIZED VIEW made AS SELECT * FROM orders;
     CREATE TABLE "WHERE ""x"" -- '" AS SELECT id AS "a'' OR 1=1", note FROM orders;
     ANALYZE`,
  );
  const run = await momentOf(t, database);
  const some = query(
    `SELECT id, (SELECT count(*) FROM pg_class WHERE relname = o.place) AS n FROM public.orders AS o
     WHERE place <> 'a1' /* where */ AND note IS DISTINCT FROM 'where'`,
  );
  await assertSame(some, run);
  await assertSame(query('SELECT * FROM parted'), run);
  await assertSame(query('SELECT * FROM parent'), run);
  await assertSame(query('SELECT * FROM ONLY parent'), run);
  await assertSame(query('SELECT * FROM made'), run);
  await assertSame(query(`SELECT * FROM ${ident(`WHERE "x" -- '`)};`), run);
});

test('what is not the rows of one table one for one is read in one piece, and it is said why', async (t) => {
  const { run } = await filled(t, 'CREATE VIEW seen AS SELECT * FROM orders; CREATE TABLE small (id int)');
  const why = (sql: string, options = {}) => whyNot(query(sql, options), run);
  assert.match(await why('SELECT * FROM orders ORDER BY id'), /ORDER BY/);
  assert.match(await why('SELECT * FROM (SELECT * FROM orders ORDER BY note, id) o'), /Sort/);
  assert.match(await why('SELECT * FROM orders LIMIT 4000'), /LIMIT/);
  assert.match(await why('SELECT place, count(*) AS n FROM orders GROUP BY place'), /groups/);
  assert.match(await why('SELECT a.id, b.note FROM orders a JOIN orders b USING (id)'), /joins/);
  assert.match(await why('SELECT a.id FROM orders a, pg_class b WHERE a.id = b.relpages'), /Join|Loop/);
  assert.match(await why('SELECT id FROM orders UNION ALL SELECT id FROM orders'), /combines/);
  assert.match(await why('SELECT (SELECT id FROM orders LIMIT 1) AS a FROM seen'), /"?ctid"? does not exist/);
  assert.match(await why('SELECT * FROM seen'), /ctid/);
  assert.match(await why('SELECT unnest(ARRAY[id, 0]) AS id FROM orders'), /ProjectSet/);
  assert.match(await why('SELECT * FROM orders WHERE id < 5'), /Scan/);
  assert.match(
    await why("SELECT * FROM orders WHERE place = 'a' OR note = 'b'"),
    /whole table for every part/,
  );
  assert.match(await why('SELECT * FROM small'), /small/);
  assert.match(await why('SELECT n FROM generate_series(1, 5000) n'), /Function Scan/);
  assert.match(await why('SELECT * FROM orders', { order: 'id' }), /promises an order/);
  const one = await cutOf(query('SELECT * FROM orders'), run, { ...SMALL, readers: 1 });
  assert.ok('rows' in one);
  assert.match(one.why ?? '', /one session/);
  const alone = query('SELECT * FROM orders');
  const { snapshot: _, ...database } = run.database;
  assert.match(await whyNot(alone, { ...run, database }), /same moment/);
});

test('a table that is written anew before a part is read ends the reading', async (t) => {
  const { database, run } = await filled(t);
  const source = query('SELECT * FROM orders', { name: 'orders' });
  const read = async (cut: Cut) => {
    const parts = cut.parts();
    const { value } = await parts.next();
    try {
      return await gathered((value as { read(run: Run): Rows }).read(run));
    } finally {
      await parts.return();
    }
  };
  for (const change of ['VACUUM FULL orders', 'TRUNCATE orders']) {
    const cut = await cutOf(source, run);
    isCut(cut);
    await database.query(change);
    assert.equal((await thrown(read(cut))).code, 'table_rewritten');
  }
});

test('a partition that comes between two parts ends the reading', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    `CREATE TABLE parted (id integer, k text) PARTITION BY RANGE (id);
     CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (9000);
     INSERT INTO parted SELECT n, repeat('p', n % 60) FROM generate_series(1, 7000) n;
     CREATE TABLE later AS SELECT n AS id, 'late'::text AS k FROM generate_series(9000, 9100) n; ANALYZE`,
  );
  const run = await momentOf(t, database);
  const cut = await cutOf(query('SELECT * FROM parted'), run);
  isCut(cut);
  await database.query('ALTER TABLE parted ATTACH PARTITION later FOR VALUES FROM (9000) TO (9999)');
  const { value } = await cut.parts().next();
  const error = await thrown(gathered((value as { read(run: Run): Rows }).read(run)));
  assert.equal(error.code, 'table_rewritten');
});

test('a query is read by ranges of the column that its author names: NULLs, equal keys, odd orders and views', async (t) => {
  const { database, run: _ } = await filled(
    t,
    `CREATE COLLATION odd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
     CREATE TABLE keyed (
       n integer, t text COLLATE odd, u uuid, m timestamptz, d date, x double precision, e text, "k'"" --" text
     );
     INSERT INTO keyed SELECT nullif(n % 50, 7), CASE n % 4 WHEN 0 THEN 'Ä' WHEN 1 THEN 'ä' WHEN 2 THEN 'b' ELSE chr(65 + n % 20) || n % 30 END,
       ('00000000-0000-0000-0000-' || lpad((n % 900)::text, 12, '0'))::uuid, '2020-01-01'::timestamptz + n % 400 * interval '7 hours',
       CASE WHEN n % 3 > 0 THEN 'infinity'::date ELSE '-infinity' END, CASE WHEN n % 9 = 0 THEN 'NaN'::float8 ELSE n % 100 END, 'same', CASE WHEN n % 2 = 0 THEN 'é'''' ' || n % 40 END
       FROM generate_series(1, 5000) n;
     CREATE INDEX ON keyed (n); CREATE INDEX ON keyed (t); CREATE INDEX ON keyed (x); CREATE INDEX ON keyed ("k'"" --");
     CREATE VIEW shown AS SELECT k.*, n AS again FROM keyed k;
     CREATE VIEW "shown again" AS SELECT again AS "N", e FROM shown; ANALYZE`,
  );
  const run = await momentOf(t, database);
  const sql = 'SELECT k.*, k.n * 2 AS twice FROM keyed k';
  for (const column of ['n', 't', 'x', `k'" --`]) {
    const parts = await assertSame(query(sql, { partBy: column }), run, { ...SMALL, partBytes: 150_000 });
    const last = parts.at(-1) as ReadPart;
    assert.deepEqual(last.of, { by: `key ${column}`, nulls: true });
    assert.ok(last.rows.every((row) => row[column] === null));
    const seen = new Map<unknown, number>();
    for (const [at, { rows }] of parts.entries())
      for (const row of rows) {
        const key = column === 't' ? String(row.t).toLowerCase() : row[column];
        assert.equal(seen.get(key) ?? at, at, `${key} is torn`);
        seen.set(key, at);
      }
  }
  await assertSame(query('SELECT * FROM "shown again"', { partBy: 'N' }), run, {
    ...SMALL,
    partBytes: 50_000,
  });
  const same = query(sql, { partBy: 'e' });
  assert.match(await whyNot(same, run), /too few values|index/);
  assert.match(await whyNot(query(`${sql} LIMIT 10`, { partBy: 'n' }), run), /chooses rows/);
  assert.match(
    await whyNot(query('SELECT n + 1 AS n FROM keyed', { partBy: 'n' }), run),
    /no column of a table/,
  );
  assert.match(await whyNot(query(sql, { partBy: 'nn' }), run), /has no column nn/);
  assert.match(
    await whyNot(query("SELECT '[1]'::json AS j, n FROM keyed", { partBy: 'j' }), run),
    /no order/,
  );
});

test('a key without an index is not worth it', async (t) => {
  const { run } = await filled(t);
  const why = await whyNot(query('SELECT * FROM orders', { partBy: 'note' }), run, {
    ...SMALL,
    partBytes: 20_000,
  });
  assert.match(why, /no index/);
});

test('by a key that is named an order is given up, and without enough rows nothing is cut', async (t) => {
  const { database, run } = await filled(t);
  const parts = await assertSame(
    query('SELECT id FROM orders ORDER BY note', { order: 'note', partBy: 'id' }),
    run,
    { ...SMALL, partBytes: 40_000 },
  );
  assert.deepEqual(
    parts.flatMap(({ rows }) => rows.map(({ id }) => Number(id))),
    Array.from({ length: 6000 }, (_, i) => i + 1),
  );
  await database.query('CREATE TABLE none (id integer PRIMARY KEY)');
  const later = await momentOf(t, database);
  assert.match(await whyNot(query('SELECT * FROM none'), later), /small/);
  assert.match(await whyNot(query('SELECT * FROM none', { partBy: 'id' }), later), /few rows|few values/);
});

test('rows that a policy hides are not left out in parts either', async (t) => {
  const { database } = await filled(
    t,
    `ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON orders USING (id % 2 = 0);`,
  );
  const role = await testRole(t);
  await database.query(`GRANT SELECT ON orders TO ${role}`);
  const run = await momentOf(t, database);
  const as: Run = {
    ...run,
    database: {
      ...run.database,
      connect: async (purpose) => {
        const client = await run.database.connect(purpose);
        await client.query(`SET ROLE ${role}; SET row_security = off`);
        return client;
      },
    },
  };
  await assert.rejects(
    cutOf(query('SELECT * FROM orders', { name: 'o' }), as),
    isSluice('row_security', /orders/),
  );
  const visible = query('SELECT * FROM orders', { rowSecurity: 'on' });
  const cut = await cutOf(visible, as);
  const rows =
    'rows' in cut
      ? await gathered(cut.rows(as))
      : (await readParts(visible, cut, as)).flatMap((part) => part.rows);
  assert.equal(rows.length, 3000);
});

const met = ({ start, of }: ReadPart): MetPart => ({
  start,
  end: start + PART_ROWS,
  line: start + 1,
  lines: PART_ROWS,
  handed: 0,
  rows: 0,
  hash: '',
  raw: false,
  refused: [],
  stages: [new StageCounter('read').account()],
  columns: [],
  // As the ledger gives it back.
  note: JSON.parse(JSON.stringify(of)),
  pass: false,
});

test('parts that are known are the same again, and what is missing between and behind them is read', async (t) => {
  const { database } = await filled(t);
  const run = await momentOf(t, database);
  for (const [source, how] of [
    [query('SELECT * FROM orders', { name: 'o' }), SMALL],
    [query('SELECT * FROM orders', { name: 'o', partBy: 'id' }), { ...SMALL, partBytes: 60_000 }],
  ] as const) {
    const first = await assertSame(source, run, how, 4);
    const known = [first[0], first[2], first[3]].map((part) => met(part as ReadPart));
    await database.query(
      'INSERT INTO orders SELECT max(id) + n FROM orders, generate_series(1, 2000) n GROUP BY n',
    );
    const later = await momentOf(t, database);
    const again = await assertSame(source, later, { ...how, known, readers: 1 }, 4);
    const ranges = new Map(again.map(({ start, of }) => [start, of]));
    for (const { start, note } of known) assert.deepEqual(ranges.get(start), note);
    const other = query('SELECT * FROM orders', { name: 'o', partBy: 'place' });
    await assert.rejects(
      cutOf(other, later, { ...how, known }),
      isSluice('not_repeatable', /in other parts|cannot be cut/),
    );
    await assert.rejects(
      cutOf(query('SELECT * FROM orders ORDER BY id', { name: 'o' }), later, { ...how, known }),
      isSluice('not_repeatable', /ORDER BY/),
    );
  }
});

test('parts give exactly the rows of the query, whatever the table went through', async (t) => {
  const database = await testDatabase(t);
  const value = fc.oneof(fc.constant(null), fc.integer({ min: -20, max: 20 }), fc.integer());
  const step = fc.oneof(
    fc.record({ do: fc.constant('insert' as const), rows: fc.array(value, { minLength: 1, maxLength: 60 }) }),
    fc.record({ do: fc.constant('delete' as const), of: fc.integer({ min: 2, max: 5 }) }),
    fc.record({ do: fc.constant('update' as const), of: fc.integer({ min: 2, max: 5 }) }),
    fc.record({ do: fc.constant('vacuum' as const) }),
  );
  // One each time: the readers of the last one have its lock until the run ends.
  let made = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
      const p = `p${++made}`;
      await database.query(`CREATE TABLE ${p} (k integer, t text, filler text); CREATE INDEX ON ${p} (k)`);
      await database.query(
        `INSERT INTO ${p} SELECT n % 40, n::text, repeat('f', 200) FROM generate_series(1, 300) n`,
      );
      for (const each of steps)
        if (each.do === 'insert')
          await database.query(
            `INSERT INTO ${p} SELECT v, v::text, repeat('f', 300) FROM unnest($1::int[]) v`,
            [each.rows],
          );
        else if (each.do === 'delete') await database.query(`DELETE FROM ${p} WHERE k % $1 = 0`, [each.of]);
        else if (each.do === 'update')
          await database.query(`UPDATE ${p} SET t = t || 'u' WHERE k % $1 = 1`, [each.of]);
        else await database.query(`VACUUM ${p}`);
      await database.query(`ANALYZE ${p}`);
      const run = await momentOf(t, database);
      for (const source of [
        query(`SELECT k, t FROM ${p}`),
        query(`SELECT k, t FROM ${p}`, { partBy: 'k' }),
      ]) {
        const cut = await cutOf(source, run, { ...SMALL, partBytes: 16 << 10 });
        const rows =
          'rows' in cut
            ? await gathered(cut.rows(run))
            : (await readParts(source, cut, run)).flatMap((part) => part.rows);
        assert.deepEqual(texts(rows), texts(await gathered(source.read(run))));
      }
    }),
    { numRuns: 3 },
  );
});
