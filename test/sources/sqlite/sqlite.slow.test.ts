import assert from 'node:assert/strict';
import { test } from 'node:test';
import library from 'node-sqlite3-wasm';
import { originOf } from '../../../src/core/row.js';
import type { DateUnit } from '../../../src/core/types.js';
import { query } from '../../../src/sources/postgres/index.js';
import { type SqliteOptions, sqlite } from '../../../src/sources/sqlite/index.js';
import { momentOf } from '../../../src/sources/sqlite/values.js';
import { plain, rowsOf, testRun } from '../../support/run.js';
import { sqliteFile } from '../../support/sqlite.js';

/** The rows of one reading, and what was rejected. */
async function read(path: string, options: SqliteOptions) {
  const run = testRun();
  try {
    return { rows: await rowsOf(sqlite(path, options), run), run };
  } finally {
    await run.end();
  }
}

test('every value comes exactly, as the text that PostgreSQL reads it from', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE odd (id INTEGER, big INTEGER, real REAL, text TEXT, blob BLOB, yes BOOLEAN, at DATETIME, "a ""name" TEXT, __proto__ TEXT);
     INSERT INTO odd VALUES (1, 9223372036854775807, 0.1, 'tab	quote " back\\slash
new line Ünï😀', x'00ff10', 1, 1709284500123, NULL, 'own'),
       (2, -9007199254740993, 1e300, '', x'', 0, '2024-03-01 09:15:00', 'NULL', '\\N'),
       (3, NULL, 3.0, '  ', NULL, 'yes', '2024-03-01T11:15:00.500+02:00', NULL, NULL)`,
  );
  const { rows } = await read(path, { table: 'odd' });
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      [
        '1',
        '9223372036854775807',
        '0.1',
        'tab\tquote " back\\slash\nnew line Ünï😀',
        '\\x00ff10',
        't',
        '2024-03-01 09:15:00.123+00',
        null,
        'own',
      ],
      ['2', '-9007199254740993', '1e+300', '', '\\x', 'f', '2024-03-01 09:15:00+00', 'NULL', '\\N'],
      ['3', null, '3', '  ', null, 'yes', '2024-03-01 09:15:00.5+00', null, null],
    ],
  );
  assert.deepEqual(Object.keys(rows[0] ?? {}), [
    'id',
    'big',
    'real',
    'text',
    'blob',
    'yes',
    'at',
    'a "name',
    '__proto__',
  ]);
  const [first] = (await read(path, { table: 'odd', asStored: true })).rows;
  assert.deepEqual([first?.yes, first?.at], ['1', '1709284500123']);
});

test('numbers are dates of the unit that is said, to the last digit, and text that is none stays as it is', () => {
  const cases: [DateUnit, number | string, string][] = [
    ['milliseconds', 0, '1970-01-01 00:00:00+00'],
    ['milliseconds', -1, '1969-12-31 23:59:59.999+00'],
    ['milliseconds', 1709284500120, '2024-03-01 09:15:00.12+00'],
    ['milliseconds', '1709284500120.25', '2024-03-01 09:15:00.12025+00'],
    ['seconds', 1706933106, '2024-02-03 04:05:06+00'],
    ['seconds', '1706933106.000001', '2024-02-03 04:05:06.000001+00'],
    ['seconds', '-0.5', '1969-12-31 23:59:59.5+00'],
    ['microseconds', '1706933106123456', '2024-02-03 04:05:06.123456+00'],
    ['nanoseconds', '1706933106123456789', '2024-02-03 04:05:06.123456789+00'],
    ['nanoseconds', '-1', '1969-12-31 23:59:59.999999999+00'],
    ['julian', '2460343.6702083335', '2024-02-03 04:05:06+00'],
    ['julian', '2440587.5', '1970-01-01 00:00:00+00'],
    ['text', '1706933106', '1706933106'],
    ['milliseconds', '2024-03-01T09:15:00.000Z', '2024-03-01 09:15:00+00'],
    ['text', '2024-03-01T23:30:00-05:00', '2024-03-02 04:30:00+00'],
    ['seconds', '2024-03-01 09:15:00.123456', '2024-03-01 09:15:00.123456+00'],
    ['seconds', '2024-03-01', '2024-03-01'],
    ['milliseconds', 'tomorrow', 'tomorrow'],
    ['milliseconds', 9e16, '90000000000000000'],
  ];
  for (const [unit, stored, wanted] of cases)
    assert.equal(momentOf[unit](String(stored)), wanted, `${stored} as ${unit}`);
});

test('a query keeps its order, knows declared types, and is told those of expressions', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE tasks (id INTEGER PRIMARY KEY, due DATETIME); INSERT INTO tasks VALUES (1, 0), (2, 86400000), (3, NULL)`,
  );
  const { rows } = await read(path, {
    query:
      'SELECT id, due, max(due, 0) AS latest, id > 1 AS later FROM tasks ORDER BY id DESC -- all of them',
    types: { latest: 'datetime', later: 'boolean' },
    dates: { due: 'milliseconds', latest: 'milliseconds' },
  });
  assert.deepEqual(rows, [
    { id: '3', due: null, latest: null, later: 't' },
    { id: '2', due: '1970-01-02 00:00:00+00', latest: '1970-01-02 00:00:00+00', later: 't' },
    { id: '1', due: '1970-01-01 00:00:00+00', latest: '1970-01-01 00:00:00+00', later: 'f' },
  ]);
});

test('rows come in chunks, in order, each with its ordinal, also behind one that is rejected', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE many (id INTEGER PRIMARY KEY, name TEXT);
     INSERT INTO many WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, 'row ' || i FROM n;
     UPDATE many SET name = 'a' || char(0) || 'b' WHERE id = 3; UPDATE many SET name = CAST(x'61ff' AS TEXT) WHERE id = 4000;
     UPDATE many SET name = CAST(x'e96162' AS TEXT) WHERE id = 4005;
     UPDATE many SET name = CAST(x'612062206320642065206620672068206920e9' AS TEXT) WHERE id = 4006; UPDATE many SET name = 'legit ' || char(65533) || 'é😀' WHERE id = 4001;
     UPDATE many SET name = x'00e9' WHERE id = 4002; UPDATE many SET name = NULL WHERE id = 4003; UPDATE many SET name = 'é' WHERE id = 4004`,
  );
  const run = testRun();
  const chunks: number[] = [];
  const origins: (number | undefined)[] = [];
  for await (const chunk of sqlite(path, { table: 'many' }).read(run)) {
    chunks.push(chunk.length);
    for (const row of chunk) {
      origins.push(originOf(row));
      assert.equal(row.id, String(originOf(row)));
    }
  }
  await run.end();
  assert.equal(origins.length, 4996);
  assert.ok(chunks.length > 2 && Math.max(...chunks) <= 2048, String(chunks));
  assert.deepEqual(
    run.rejects.map(({ reason, column, row }) => [reason, column, row && originOf(row)]),
    [
      ['nul_in_text', 'name', 3],
      ['invalid_utf8', 'name', 4000],
      ['invalid_utf8', 'name', 4005],
      ['invalid_utf8', 'name', 4006],
    ],
  );
});

test('a rejected row has every cell in its place, with NULs and bytes that are no text', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE n (a TEXT, b TEXT, c TEXT, d REAL, e BLOB, f DATETIME, g BOOLEAN);
     INSERT INTO n VALUES ('x' || char(0) || 'y', NULL, 'z', 0.1, x'00ff', '2024-01-02', 1), ('ok', 'b', 'c', NULL, NULL, NULL, 0);
     INSERT INTO n VALUES ('p', char(0), char(1, 0, 2) || 'é', 2, NULL, NULL, NULL), ('q', CAST(x'61ffe92062' AS TEXT), char(4), -1, x'', NULL, NULL)`,
  );
  const run = testRun();
  assert.equal((await rowsOf(sqlite(path, { table: 'n' }), run)).length, 1);
  await run.end();
  const rejected = run.rejects.map(({ column, value, line, row }) => [column, value, line, plain(row ?? {})]);
  assert.deepEqual(rejected, [
    ['a', 'x\0y', 1, { a: 'x\0y', b: null, c: 'z', d: '0.1', e: '\\x00ff', f: '2024-01-02', g: 't' }],
    ['b', '\0', 3, { a: 'p', b: '\0', c: '\u0001\0\u0002é', d: '2', e: null, f: null, g: null }],
    [
      'b',
      'a\udcff\udce9 b',
      4,
      { a: 'q', b: 'a\udcff\udce9 b', c: '\u0004', d: '-1', e: '\\x', f: null, g: null },
    ],
  ]);
});

test('all sources of a run see one state of the file, whatever is written meanwhile', async (t) => {
  const path = sqliteFile(
    t,
    'CREATE TABLE a (x); CREATE TABLE b (x); INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)',
  );
  const run = testRun();
  assert.equal((await rowsOf(sqlite(path, { table: 'a' }), run)).length, 1);
  const application = new library.Database(path);
  application.exec('INSERT INTO b VALUES (2)');
  application.close();
  assert.equal((await rowsOf(sqlite(path, { table: 'b' }), run)).length, 1);
  await run.end();
  assert.equal((await read(path, { table: 'b' })).rows.length, 2, 'the next run sees what was written');
});

test('two tables are read at once, and a reader that stops early lets the other go on', async (t) => {
  const path = sqliteFile(
    t,
    `CREATE TABLE a (x INTEGER); INSERT INTO a WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) SELECT i FROM n`,
  );
  const run = testRun();
  const whole = rowsOf(sqlite(path, { table: 'a' }), run);
  for await (const _ of sqlite(path, { table: 'a' }).read(run)) break;
  assert.equal((await whole).length, 9000);
  await run.end();
});

test('a table or column that is not there is named with the nearest', async (t) => {
  const path = sqliteFile(
    t,
    'CREATE TABLE milestones (id TEXT, taskTypeId TEXT); CREATE TABLE tasks (id TEXT)',
  );
  const says = async (options: SqliteOptions, message: RegExp, next: RegExp) => {
    const run = testRun();
    try {
      await assert.rejects(
        async () => sqlite(path, options).check?.(run),
        (error: Error & { kind: string; facts: { next: string } }) => {
          assert.match(error.message, message);
          assert.match(String(error.facts.next), next);
          assert.equal(error.kind, 'usage');
          return true;
        },
      );
    } finally {
      await run.end();
    }
  };
  await says({ table: 'milestone' }, /app\.db: there is no table milestone/, /did you mean milestones/);
  await says(
    { query: 'SELECT tasktypeid2 FROM milestones' },
    /no column tasktypeid2/,
    /did you mean "taskTypeId"/,
  );
  await says(
    { table: 'milestones', columns: ['id', 'taskTypId'] },
    /has no column "taskTypId"/,
    /did you mean "taskTypeId"/,
  );
  await says({ query: 'SELECT m.id, t.id FROM milestones m, tasks t' }, /two columns named "id"/, /AS/);
  await says({ query: 'DELETE FROM tasks' }, /syntax error/, /./);
});

test('without a file, the message says how to name one', async () => {
  const source = sqlite(undefined, { table: 'tasks' });
  await assert.rejects(
    async () => source.check?.(testRun()),
    /the input tasks is read from an SQLite file, and none was named/,
  );
  assert.throws(() => sqlite('a.db', {}), /a table or a query, and not both/);
});

test('the SQLite side of a query gives the same rows', async (t) => {
  const path = sqliteFile(
    t,
    'CREATE TABLE tasks (id INTEGER, "isApplied" BOOLEAN); INSERT INTO tasks VALUES (1, 1)',
  );
  const source = query('SELECT id, "isApplied" FROM tasks', {
    name: 'tasks',
    columns: ['id', 'isApplied'],
    order: 'id',
    sqlite: { query: 'SELECT * FROM tasks ORDER BY id' },
  }).fromSqlite?.(path);
  assert.equal(source?.order, 'id');
  const run = testRun();
  assert.deepEqual(source && (await rowsOf(source, run)), [{ id: '1', isApplied: 't' }]);
  await run.end();
});
