import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientBase } from 'pg';
import { CopyBuffer } from '../../../../sinks/load/encode/copy-buffer.js';
import { endOf, putOrigin, rowsBefore } from '../../../../sinks/load/encode/ordinal.js';
import { refuseBroken } from '../../../../sinks/publish/constraints/find.js';
import {
  analyzeRefusedSql,
  putBackSql,
  readRefused,
  refusedTable,
  refusedTableSql,
} from '../../../../sinks/publish/constraints/refused.js';
import { takeOut } from '../../../../sinks/publish/constraints/replaced.js';
import { rowSubject } from '../../../../sinks/publish/constraints/subject.js';
import { surveyRows } from '../../../../sinks/publish/rows/survey.js';
import { testDatabase } from '../../../support/database.js';
import { openBatch, stage } from '../../../support/window.js';

/** A column of every type whose text or bytes could be told wrong on the way, and a value of it. */
const TYPES: readonly (readonly [type: string, value: string])[] = [
  ['char(5)', "'a  '"],
  ['numeric', '1.500'],
  ['float8', "'0.1'::float8 + 0.2"],
  ['float4', "'3.4028235e38'"],
  ['timestamptz', "'2024-03-31 01:30:00.123456+00'"],
  ['interval', "'1 mon -3 days 04:00:00'"],
  ['bytea', "'\\x00ff5c'"],
  ['jsonb', `'{"a": [1.0, "\\u00e4"]}'`],
  ['json', `'{"b" : 1,  "b":2}'`],
  ['text[]', `'{NULL,"a\\"b","",null}'`],
  ['int4range', "'[1,5)'"],
  ['bool', 'true'],
  ['xml', "'<a>1</a>'"],
  ['point', "'(0.1,2)'"],
  ['shape', `'("a,b",)'`],
  ['mood', "'so so'"],
  ['code', "'00 7'"],
  ['bit(3)', "B'101'"],
];
const MAKE = `CREATE TYPE shape AS (t text, n int); CREATE TYPE mood AS ENUM ('so so'); CREATE DOMAIN code AS char(5) CHECK (VALUE <> 'no');
  CREATE TABLE every (id int PRIMARY KEY, ${TYPES.map(([type], i) => `c${i} ${type}`).join(', ')})`;
const values = TYPES.map(([, value]) => value).join(', ');

test('a row that was refused and put back is the row that it was, whatever its types', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query(MAKE);
  const names = await openBatch(client, 'b');
  const columns = ['id', ...TYPES.map((_, i) => `c${i}`)];
  const facts = await stage(client, names, [
    { schema: 'public', table: 'every', mode: 'append', columns },
    [],
  ]);
  const all = columns.join(', ');
  await client.query(
    `INSERT INTO b_new.every (${all}, sluice_row, sluice_line) SELECT 1, ${values}, n, n + 1 FROM generate_series(1, 3) n;
     INSERT INTO b_new.every (id, sluice_row) VALUES (2, 4)`,
  );
  const print = () =>
    client.query(
      "SELECT md5(string_agg(md5(record_send(r)), ',' ORDER BY r.sluice_row)) AS md5, count(*)::int AS n FROM b_new.every r",
    );
  const before = (await print()).rows;
  const subject = rowSubject(1, facts, names);
  const refused = await refuseBroken(client, [subject], {
    staging: names.staging,
    others: [],
    exclusions: false,
  });
  assert.equal(refused, 2);
  const told = await readRefused(client, names.staging, {
    after: { line: -1, row: 0 },
    from: 0,
    below: 10,
    limit: 9,
  });
  assert.deepEqual(
    told.map(({ row, line, firstRow, firstLine, constraint }) => [
      row,
      line,
      firstRow,
      firstLine,
      constraint,
    ]),
    [
      [2, 3, 1, 2, 'every_pkey'],
      [3, 4, 1, 2, 'every_pkey'],
    ],
  );
  await client.query(putBackSql(subject, names.staging));
  assert.deepEqual((await print()).rows, before);

  // The same rows out of staging that has no numbers, as a table has that is to be replaced.
  await client.query(`CREATE TABLE b_new.replaced AS SELECT ${all} FROM b_new.every`);
  assert.equal(
    await refuseBroken(client, [subject], { staging: names.staging, others: [], exclusions: false }),
    2,
  );
  const place = {
    at: 1,
    live: { schema: 'public', table: 'every' },
    staged: { schema: 'b_new', table: 'replaced' },
  };
  await takeOut(client, subject, place, names.staging);
  assert.deepEqual((await client.query('SELECT id FROM b_new.replaced ORDER BY id')).rows, [
    { id: 1 },
    { id: 2 },
  ]);
});

test('a page of the refused rows is read without looking at all the others', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  const { staging } = await openBatch(client, 'b');
  await client.query(refusedTableSql(staging));
  await client.query(
    `INSERT INTO ${refusedTable(staging)} (at, row_number, line, breach, sqlstate, columns, expected, loaded)
     SELECT 0, n, 1 + n * 7919 % 20000, 'check_violation', '23514', '{}', 'x', '{}' FROM generate_series(1, 20000) n`,
  );
  await client.query(analyzeRefusedSql(staging));
  const read: number[] = [];
  // The very query, with its plan instead of its rows.
  const explaining = {
    async query(text: string, parameters: unknown[]) {
      const { rows } = await client.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, parameters);
      const scan = (node: Plan): Plan => (node.Plans?.[0] === undefined ? node : scan(node.Plans[0]));
      const { 'Actual Rows': seen, 'Rows Removed by Filter': left = 0 } = scan(rows[0]['QUERY PLAN'][0].Plan);
      read.push(seen + left);
      return client.query(text, parameters);
    },
  } as unknown as ClientBase;
  const range = { from: 0, below: 20_000, limit: 100 };
  const first = await readRefused(explaining, staging, { ...range, after: { line: -1, row: 0 } });
  assert.deepEqual(first.map(({ line }) => line).slice(0, 3), [1, 2, 3]);
  const last = first.at(-1) as (typeof first)[number];
  const second = await readRefused(explaining, staging, {
    ...range,
    after: { line: last.line as number, row: last.row },
  });
  assert.equal(second[0]?.line, 101);
  assert.deepEqual(read, [100, 100]);
});

interface Plan {
  readonly Plans?: readonly Plan[];
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
}

test('what is asked is what the catalog has; numbers by sequences are told from other defaults', async (t) => {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query(`
    CREATE SCHEMA other; CREATE TABLE other.p (a int, b int, PRIMARY KEY (a, b));
    CREATE FUNCTION other.next() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
    CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY, s serial, f int DEFAULT other.next(), u uuid DEFAULT gen_random_uuid(), at timestamptz DEFAULT now(), n int DEFAULT 1 + 2,
      g int GENERATED ALWAYS AS (a * 2) STORED, a int, b int, CONSTRAINT later CHECK (a > 0) NOT VALID, CHECK (g < 9), FOREIGN KEY (b, a) REFERENCES other.p (a, b) MATCH FULL);
    CREATE UNIQUE INDEX ON t (a DESC, lower(b::text)) INCLUDE (n) WHERE n > 2`);
  const { constraints, inOrder, numbered } = await surveyRows(client, {
    schema: 'public',
    table: 't',
    mode: 'append',
    columns: ['a', 'b'],
  });
  assert.deepEqual([inOrder, numbered], [true, true]);
  assert.deepEqual(
    constraints.checks.map(({ name, columns }) => [name, columns]),
    [
      ['later', ['a']],
      ['t_g_check', ['g']],
    ],
  );
  assert.deepEqual(
    constraints.fills.map(({ column, volatile, numbers, columns }) => [column, volatile, numbers, columns]),
    [
      ['id', true, true, []],
      ['s', true, true, []],
      ['f', true, true, []],
      ['u', true, false, []],
      ['at', false, false, []],
      ['n', false, false, []],
      ['g', false, false, ['a']],
    ],
  );
  const [unique] = constraints.uniques;
  assert.deepEqual(
    [unique?.parts.map(({ expression }) => expression), unique?.predicate, unique?.columns],
    [['a', 'lower((b)::text)'], '(n > 2)', ['n', 'a', 'b']],
  );
  const [key] = constraints.foreignKeys;
  assert.deepEqual(
    [key?.columns, key?.parent.schema, key?.parent.table, key?.parentColumns, key?.full],
    [['b', 'a'], 'other', 'p', ['a', 'b'], true],
  );
  const plain = await surveyRows(client, {
    schema: 'other',
    table: 'p',
    mode: 'append',
    columns: ['a', 'b'],
  });
  assert.deepEqual([plain.inOrder, plain.numbered], [false, true]);
  await client.query('CREATE TABLE free (a int, at timestamptz DEFAULT now())');
  const free = await surveyRows(client, { schema: 'public', table: 'free', mode: 'append', columns: ['a'] });
  assert.deepEqual([free.inOrder, free.numbered], [false, false]);
});

test('numbers stand behind a row in full, up to the last end that a pipeline may have', () => {
  for (const [row, line] of [
    [1, 1],
    [rowsBefore(1), 2 ** 40],
    [rowsBefore(500) + 2147483648, undefined],
    [9_007_199_254_740_991, 9_007_199_254_740_991],
    [2147483647, 2147483648],
  ] as const) {
    const buffer = new CopyBuffer(4);
    buffer.reserve(0, 2).write('x\n');
    const end = putOrigin(buffer, 2, row, line);
    assert.equal(buffer.bytes.toString('latin1', 0, end), `x\t${row}\t${line ?? '\\N'}\n`);
  }
  assert.deepEqual([1, rowsBefore(1), rowsBefore(1) + 1, rowsBefore(7) + 5].map(endOf), [0, 0, 1, 7]);
});
