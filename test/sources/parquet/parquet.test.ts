import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { ColumnSource } from 'hyparquet-writer';
import type { Cut, CutOptions, MetPart, Uncut } from '../../../src/core/parts.js';
import { originOf, type Row, type Rows } from '../../../src/core/row.js';
import type { Source } from '../../../src/core/types.js';
import { type ParquetOptions, parquet } from '../../../src/sources/parquet/index.js';
import { tempFile } from '../../support/files.js';
import { httpServer } from '../../support/http-server.js';
import { parquetBytes, parquetFile } from '../../support/parquet.js';
import { rowsOf, type TestRun, testRun } from '../../support/run.js';
import { isSluice } from '../../support/said.js';

type Element = NonNullable<NonNullable<Parameters<typeof parquetBytes>[1]>['schema']>[number];

/** A file of one optional column `v`, of the type that the element says. */
const one = (t: TestContext, element: Omit<Element, 'name'>, data: unknown[]) =>
  parquetFile(t, [{ name: 'v', data }], {
    schema: [
      { name: 'root', num_children: 1 },
      { name: 'v', repetition_type: 'OPTIONAL', ...element } as Element,
    ],
  });

const valuesOf = async (path: string, options: ParquetOptions = {}) =>
  (await rowsOf(parquet(path, options))).map(({ v }) => v);

async function originsIn(source: Source): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const chunk of source.read(testRun())) for (const row of chunk) all.push(originOf(row));
  return all;
}

const NUMBERS = Array.from({ length: 5000 }, (_, i) => i);
const LARGE: ColumnSource[] = [
  { name: 'n', data: NUMBERS.map(BigInt), type: 'INT64' },
  { name: 's', data: NUMBERS.map((n) => `name ${n % 7}`), type: 'STRING' },
];

test('every type is the text that PostgreSQL reads the very value from, with the type that holds it', async (t) => {
  const moment = (unit: 'MILLIS' | 'MICROS' | 'NANOS', utc: boolean) =>
    ({ type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: utc, unit } }) as const;
  for (const [element, given, expected, type] of [
    [{ type: 'BOOLEAN' }, [true, false, undefined], ['t', 'f', null], 'boolean'],
    [{ type: 'INT32' }, [-2147483648, 2147483647, undefined], ['-2147483648', '2147483647', null], 'integer'],
    [{ type: 'INT32', converted_type: 'INT_8' }, [-128], ['-128'], 'smallint'],
    [{ type: 'INT32', converted_type: 'UINT_32' }, [4294967295], ['4294967295'], 'bigint'],
    [
      { type: 'INT64' },
      [9223372036854775807n, -9223372036854775808n],
      ['9223372036854775807', '-9223372036854775808'],
      'bigint',
    ],
    [
      { type: 'INT64', converted_type: 'UINT_64' },
      [18446744073709551615n],
      ['18446744073709551615'],
      'numeric(20)',
    ],
    [{ type: 'FLOAT' }, [0.5, Number.NaN], ['0.5', 'NaN'], 'real'],
    [
      { type: 'DOUBLE' },
      [0.1, -0, 1e300, Number.NEGATIVE_INFINITY],
      ['0.1', '-0', '1e+300', '-Infinity'],
      'double precision',
    ],
    [
      { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
      ['', 'Grüße, 東京 😀', '0123', undefined],
      ['', 'Grüße, 東京 😀', '0123', null],
      'text',
    ],
    [{ type: 'BYTE_ARRAY' }, [Uint8Array.of(0, 255), Uint8Array.of()], ['\\x00ff', '\\x'], 'bytea'],
    [
      { type: 'INT32', converted_type: 'DATE' },
      [0, -719162, 2932896, 2932897],
      ['1970-01-01', '0001-01-01', '9999-12-31', '10000-01-01'],
      'date',
    ],
    [{ type: 'INT32', converted_type: 'DATE' }, [-719163, 19782], ['0001-12-31 BC', '2024-02-29'], 'date'],
    [moment('MILLIS', false), [-1n], ['1969-12-31 23:59:59.999'], 'timestamp'],
    [moment('MICROS', true), [1709208000500000n], ['2024-02-29 12:00:00.5+00'], 'timestamptz'],
    [moment('NANOS', true), [1709208000123456789n], ['2024-02-29 12:00:00.123456789+00'], 'timestamptz'],
    [
      { type: 'INT64', logical_type: { type: 'TIME', isAdjustedToUTC: false, unit: 'MICROS' } },
      [86399999999n],
      ['23:59:59.999999'],
      'time',
    ],
  ] as [Omit<Element, 'name'>, unknown[], unknown[], string][]) {
    const path = one(t, element, given);
    assert.deepEqual(await valuesOf(path), expected, JSON.stringify(element));
    assert.deepEqual(await parquet(path).types?.(testRun()), { v: type });
  }
});

test('decimals have all of their digits, whatever they are stored as', async (t) => {
  const decimal = (type: string, precision: number, scale: number, type_length?: number) =>
    ({
      type,
      ...(type_length === undefined ? {} : { type_length }),
      converted_type: 'DECIMAL',
      logical_type: { type: 'DECIMAL', precision, scale },
      precision,
      scale,
    }) as Omit<Element, 'name'>;
  for (const [element, given, expected] of [
    [decimal('INT32', 9, 2), [-5n, 0n, 123456789n], ['-0.05', '0.00', '1234567.89']],
    [decimal('INT64', 18, 18), [1n], ['0.000000000000000001']],
    [
      decimal('FIXED_LEN_BYTE_ARRAY', 38, 10, 16),
      [12345678901234567890123456789012345678n, -1n],
      ['1234567890123456789012345678.9012345678', '-0.0000000001'],
    ],
    [
      decimal('FIXED_LEN_BYTE_ARRAY', 38, 0, 16),
      [-99999999999999999999999999999999999999n],
      ['-99999999999999999999999999999999999999'],
    ],
  ] as const)
    assert.deepEqual(await valuesOf(one(t, element, [...given])), expected, JSON.stringify(element));
});

test('lists, maps and structs are JSON, with the same values', async (t) => {
  const schema = [
    { name: 'root', num_children: 2 },
    { name: 'v', repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', type: 'INT64' },
    { name: 's', repetition_type: 'OPTIONAL', num_children: 2 },
    {
      name: 'a',
      repetition_type: 'OPTIONAL',
      type: 'INT64',
      converted_type: 'DECIMAL',
      precision: 18,
      scale: 2,
    },
    { name: 'b', repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  ] as Element[];
  const path = parquetFile(
    t,
    [
      { name: 'v', data: [[1n, null, 9223372036854775807n], [], undefined] },
      { name: 's', data: [{ a: 150n, b: 'x "y"' }, { a: null, b: null }, undefined] },
    ],
    { schema },
  );
  assert.deepEqual(
    (await rowsOf(parquet(path))).map(({ v, s }) => [v, s]),
    [
      ['[1,null,9223372036854775807]', '{"a":1.50,"b":"x \\"y\\""}'],
      ['[]', '{"a":null,"b":null}'],
      [null, null],
    ],
  );
  assert.deepEqual(await parquet(path).types?.(testRun()), { v: 'json', s: 'json' });
});

test('columns are called as they are wanted, and those that are not read are null', async (t) => {
  const path = parquetFile(t, [
    { name: 'Order No', data: ['7'], type: 'STRING' },
    { name: 'note', data: ['left out'], type: 'STRING' },
  ]);
  const [row] = await rowsOf(parquet(path, { map: { '#1': 'id' }, columns: ['id'], unread: ['#2'] }));
  assert.deepEqual({ ...row }, { id: '7', note: null });
  assert.deepEqual(await originsIn(parquet(path)), [1]);
  await assert.rejects(
    parquet(path, { columns: ['nope'] }).check?.(testRun()) as Promise<void>,
    isSluice('missing_column'),
  );
  await assert.rejects(
    parquet(path, { unread: ['nope'] }).check?.(testRun()) as Promise<void>,
    isSluice('unknown_column'),
  );
});

test('packed by each codec, in groups of any size, rows are the same; a file may have none', async (t) => {
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'GZIP'] as const) {
    const path = parquetFile(t, LARGE, { codec, rowGroupSize: 1700 });
    const rows = await rowsOf(parquet(path));
    assert.deepEqual(
      rows.map(({ n }) => Number(n)),
      NUMBERS,
      codec,
    );
    assert.deepEqual(
      await originsIn(parquet(path)),
      NUMBERS.map((n) => n + 1),
    );
  }
  const none = parquetFile(t, [{ name: 'v', data: [], type: 'STRING' }]);
  assert.deepEqual(await rowsOf(parquet(none)), []);
  assert.deepEqual(await parquet(none).types?.(testRun()), { v: 'text' });
});

const SMALL: CutOptions = { known: [], readers: 2, partBytes: 1000 };

async function cutOf(source: Source, run: TestRun, how: CutOptions = SMALL): Promise<Cut> {
  const cut = (await source.cut?.(run, how)) as Cut | Uncut;
  assert.ok(!('rows' in cut));
  return cut;
}

async function numbersIn(rows: Rows): Promise<number[]> {
  const all: number[] = [];
  for await (const chunk of rows) for (const { n } of chunk) all.push(Number(n));
  return all;
}

test('parts are read by their places alone, in any order, and are all rows; those that are known are passed over', async (t) => {
  const source = parquet(parquetFile(t, LARGE, { rowGroupSize: 1700 }));
  const run = testRun();
  const cut = await cutOf(source, run);
  const places: MetPart[] = [];
  for await (const { start, end, line, lines } of cut.parts())
    places.push({ start, end, line, lines, pass: places.length % 2 === 0 } as MetPart);
  assert.ok(places.length > 3, String(places.length));
  const reader = await source.partReader?.(testRun(), JSON.parse(JSON.stringify(cut.opening)));
  const found: number[][] = [];
  for (const { pass, ...place } of [...places].reverse())
    found.unshift(await numbersIn((await reader?.part(place))?.read(run) as Rows));
  assert.deepEqual(found.flat(), NUMBERS);
  const missing = await cutOf(source, run, { ...SMALL, known: places.filter(({ pass }) => pass) });
  const left: number[] = [];
  for await (const part of missing.parts()) left.push(...(await numbersIn(part.read(run))));
  assert.deepEqual(left, found.filter((_, at) => at % 2 === 1).flat());
  await assert.rejects(
    cutOf(source, run, { ...SMALL, known: [{ ...places[0], end: 3, pass: true } as MetPart] }),
    isSluice('not_repeatable'),
  );
});

test('a text that PostgreSQL cannot hold is a reject with its row, column and value', async (t) => {
  const path = parquetFile(t, [
    { name: 'id', data: [1, 2, 3], type: 'INT32' },
    { name: 'v', data: ['good', 'a\0b', 'fine'], type: 'STRING' },
  ]);
  // The same length, and no UTF-8.
  const bytes = readFileSync(path);
  bytes[bytes.indexOf('good')] = 0xff;
  writeFileSync(path, bytes);
  const run = testRun();
  assert.deepEqual(
    (await rowsOf(parquet(path), run)).map(({ id }) => id),
    ['3'],
  );
  assert.deepEqual(
    run.rejects.map(({ row, reason, column, value }) => [originOf(row as Row), reason, column, value]),
    [
      [1, 'invalid_utf8', 'v', '\ufffdood'],
      [2, 'nul_in_text', 'v', 'a\0b'],
    ],
  );
});

test('what is no whole Parquet file is told as what it is', async (t) => {
  const whole = Buffer.from(parquetBytes(LARGE, { codec: 'UNCOMPRESSED' }));
  const check = (content: Uint8Array | string) =>
    parquet(tempFile(t, 'rows.parquet', content)).check?.(testRun()) as Promise<void>;
  await assert.rejects(check(whole.subarray(0, whole.length - 100)), /cut off/);
  await assert.rejects(check('id,name\n1,a\n'), isSluice('not_parquet'));
  await assert.rejects(check(''), isSluice('not_parquet'));
  await assert.rejects(check(Buffer.concat([whole.subarray(0, -4), Buffer.from('PARE')])), /encrypted/);
  const footer = Buffer.from(whole);
  footer.fill(0xff, whole.length - 60, whole.length - 8);
  await assert.rejects(check(footer), isSluice('corrupt_parquet'));
  const pages = Buffer.from(whole);
  pages.fill(0xff, 4, 2000);
  await assert.rejects(rowsOf(parquet(tempFile(t, 'rows.parquet', pages))), isSluice('corrupt_parquet'));
  await assert.rejects(parquet('-').check?.(testRun()) as Promise<void>, isSluice('not_parquet'));
});

test('a file at a URL is read by ranges, those of columns that are left out not at all', async (t) => {
  const server = await httpServer(t);
  const note = NUMBERS.map((n) => `${n * 7919} ${'unwanted '.repeat(50)} ${n}`);
  const bytes = parquetBytes([...LARGE, { name: 'note', data: note, type: 'STRING' }], {
    codec: 'UNCOMPRESSED',
    rowGroupSize: 1000,
  });
  server.files.set('/a.parquet', { body: Buffer.from(bytes), etag: '"1"' });
  const source = parquet(`${server.origin}/a.parquet`, { unread: ['note'] });
  const run = testRun();
  const rows = await rowsOf(source, run);
  await run.end();
  assert.deepEqual(
    rows.map(({ n }) => Number(n)),
    NUMBERS,
  );
  const sent = server.came.reduce((sum, each) => sum + each.sent, 0);
  assert.ok(sent < bytes.length / 1.5, `${sent} of ${bytes.length}`);
  server.files.set('/a.parquet', { body: Buffer.from(bytes), ranges: false });
  await assert.rejects(rowsOf(source), isSluice('not_parquet'));
});
