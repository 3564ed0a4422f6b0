import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ColumnSource } from 'hyparquet-writer';
import { type Copying, copying } from '../support/copying.js';
import { parquetBytes } from '../support/parquet.js';

function made({ cwd }: Copying, name: string, columns: readonly ColumnSource[], rowGroupSize = 1000): string {
  writeFileSync(join(cwd, name), parquetBytes(columns, { rowGroupSize }));
  return name;
}

const BIG: ColumnSource[] = [
  { name: 'Id', data: [1n, 9007199254740993n, 3n], type: 'INT64' },
  { name: 'name', data: ['Grüße, 東京 😀', '', undefined], type: 'STRING' },
  { name: 'share', data: [0.1, 1e300, undefined], type: 'DOUBLE' },
  { name: 'at', data: [new Date(0), new Date('2024-02-29T12:00:00.5Z'), undefined], type: 'TIMESTAMP' },
  { name: 'more', data: [{ a: 1 }, [1, 2], undefined], type: 'JSON' },
  { name: 'none', data: [undefined, undefined, undefined], type: 'INT32' },
];

test('a Parquet file is copied into a table of the types that it declares', async (t) => {
  const copies = await copying(t);
  const ran = await copies.copy(made(copies, 'a.parquet', BIG), '--into', 'a', '--create', '--key', 'id');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await copies.typesOf('a'), {
    id: 'bigint',
    name: 'text',
    share: 'double precision',
    at: 'timestamp with time zone',
    more: 'json',
    none: 'integer',
  });
  assert.deepEqual(await copies.rowsOf('a'), [
    '(1,"Grüße, 東京 😀",0.1,"1970-01-01 00:00:00+00","{""a"":1}",)',
    '(3,,,,,)',
    '(9007199254740993,"",1e+300,"2024-02-29 12:00:00.5+00","[1,2]",)',
  ]);
});

test('its first bytes tell it; columns are mapped and left out, rows that do not fit are rejects', async (t) => {
  const copies = await copying(t, 'CREATE TABLE a (id integer PRIMARY KEY, name text NOT NULL)');
  const file = made(copies, 'export', BIG);
  const ran = await copies.copy(
    file,
    ...['--into', 'a', '--skip-columns', 'share,at,more,#6', '--max-rejects', '2'],
  );
  assert.equal(ran.code, 4, ran.stderr);
  assert.deepEqual(await copies.rowsOf('a'), ['(1,"Grüße, 東京 😀")']);
  const rows = await copies.database.query(
    'SELECT line, column_name FROM sluice.migration_reject ORDER BY line',
  );
  assert.deepEqual(
    rows.map(({ line, column_name }) => [Number(line), column_name]),
    [
      [2, 'id'],
      [3, 'name'],
    ],
  );
  const columns = await copies.copy(file, '--into', 'a', '--columns', 'id,name');
  assert.match(columns.stderr, /columns does not apply to parquet/);
  const strange = await copies.copy(file, '--into', 'a', '--skip-columns', 'shara');
  assert.match(strange.stderr, /did you mean "share"/);
});

test('parts are loaded by several sessions and by threads, each row once', async (t) => {
  const copies = await copying(t, 'CREATE TABLE a (n integer PRIMARY KEY, s text)');
  const numbers = Array.from({ length: 60_000 }, (_, n) => n);
  const file = made(
    copies,
    'a.parquet',
    [
      { name: 'n', data: numbers, type: 'INT32' },
      { name: 's', data: numbers.map((n) => `${n}`.padStart(200, 'x')), type: 'STRING' },
    ],
    20_000,
  );
  for (const how of [
    ['--jobs', '2'],
    ['--threads', '2'],
  ]) {
    const ran = await copies.copy(file, '--into', 'a', '--mode', 'replace', '--always', ...how);
    assert.equal(ran.code, 0, ran.stderr);
    const [found] = await copies.database.query(
      `SELECT count(*)::int AS rows, sum(n)::text AS sum, bool_and(s = lpad(n::text, 200, 'x')) AS same FROM a`,
    );
    assert.deepEqual(found, { rows: 60_000, sum: '1799970000', same: true });
  }
});

test('a damaged file publishes nothing', async (t) => {
  const copies = await copying(t, 'CREATE TABLE a (n integer, s text)');
  const numbers = Array.from({ length: 5_000 }, (_, n) => n);
  const bytes = Buffer.from(
    parquetBytes([
      { name: 'n', data: numbers, type: 'INT32' },
      { name: 's', data: numbers.map((n) => `text ${n * 7919}`), type: 'STRING' },
    ]),
  );
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 200);
  writeFileSync(join(copies.cwd, 'a.parquet'), bytes);
  const ran = await copies.copy('a.parquet', '--into', 'a');
  assert.equal(ran.code, 1, ran.stderr);
  assert.match(ran.stderr, /a\.parquet is damaged/);
  assert.deepEqual(await copies.rowsOf('a'), []);
});
