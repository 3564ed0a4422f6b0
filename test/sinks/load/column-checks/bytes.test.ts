import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnForms } from '../../../../sinks/load/column-checks/bytes.js';
import { guardFor } from '../../../../sinks/load/column-checks/index.js';
import { csvField } from '../../../../src/core/csv-text.js';
import { type ColumnFacts, readColumns } from '../../../../src/db/catalog/columns.js';
import { ident } from '../../../../src/db/quote.js';
import { gate } from '../../../../src/sources/csv/scan/gate.js';
import { column } from '../../../support/column.js';
import { testDatabase } from '../../../support/database.js';
import { encoded, formsOf, type Lanes, raw, read } from '../../../support/lanes.js';
import { accepted, makeTypes, types, wellFormed } from './values.js';

/** Values per type; SLUICE_TEST_RUNS multiplies them for a long look. */
const VALUES = 600 * Number(process.env.SLUICE_TEST_RUNS ?? 1);

/** Which fractions of so few digits fit, nobody has had to know quickly. */
const SMALL = 'numeric(2,4)';

/** What the check of `column` says of `text`, between other bytes; undefined where there is none. */
function says(facts: ColumnFacts, text: string): boolean | undefined {
  const [form] = columnForms([facts]);
  const bytes = Buffer.from(`7${text}7`);
  return form?.check?.(bytes, 1, bytes.length - 1);
}

/** Texts that files are full of, which go as they are, and others, which our reader looks at. */
const KNOWN: readonly (readonly [
  facts: Partial<ColumnFacts> & { base: string },
  yes: string[],
  no: string[],
])[] = [
  [
    { base: 'int4' },
    ['0', '7', '-7', '0042', '2147483647', '-2147483648'],
    ['', '-', ' 12 ', '+1', '1.0', '1e3', '0x1F', '1_000', '2147483648', '-2147483649', '99999999999'],
  ],
  [{ base: 'int2' }, ['32767', '-32768'], ['32768', '-32769', '40000']],
  [
    { base: 'int8' },
    ['9223372036854775807', '-9223372036854775808'],
    ['9223372036854775808', '-9223372036854775809', '12345678901234567890'],
  ],
  [
    { base: 'numeric' },
    ['1', '-1.50', '.5', '5.', '9'.repeat(40)],
    ['', '.', '-', '-.', '1.2.3', '1,5', '1e5', 'NaN', 'Infinity', '1_000', '0x1F', ' 1'],
  ],
  [
    { base: 'numeric', precision: 5, scale: 2 },
    ['999.99', '0.005', '-12.3', '000999.99', '99.999'],
    ['999.995', '1000', '999.999'],
  ],
  [{ base: 'numeric', precision: 2, scale: 2 }, ['0.15', '.99', '0'], ['1', '0.999']],
  [
    { base: 'float8' },
    ['1', '-1.5', '.5', '1e5', '1.5E-07', '1e99'],
    ['', 'e5', '1e', '1e100', 'NaN', '0x1p3'],
  ],
  [{ base: 'float4' }, ['1e8', '1e-08', '3.14'], ['1e9', '1e38', '1e-44']],
  [
    { base: 'bool' },
    ['t', 'f', 'T', '1', '0', 'true', 'False', 'YES', 'no', 'on', 'off', 'y', 'N'],
    ['', 'x', '2', 'tru', 'truee', ' t', 'o'],
  ],
  [
    { base: 'date' },
    [
      '2024-02-29',
      '1900-02-28',
      '2023-12-31',
      '0001-01-01',
      '9999-12-31',
      'infinity',
      '-infinity',
      '20240229',
      '2024/2/9',
    ],
    [
      '',
      '01/02/2024',
      'today',
      'now',
      '1900-02-29',
      '2023-04-31',
      '2023-13-01',
      '2023-00-10',
      '2023-01-00',
      '0000-01-01',
      ' 2024-01-01',
      '24-01-01',
    ],
  ],
  [
    { base: 'timestamp' },
    [
      '2024-02-29',
      '2024-02-29 23:59',
      '2024-02-29T23:59:59',
      '2024-02-29 23:59:59.123456',
      '2024-01-31 10:00:00+02',
    ],
    [
      '2024-02-30 10:00',
      '2024-02-29 24:00:00',
      '2024-02-29 23:60',
      '2024-02-29 23:59:60',
      '2024-02-29 1:00',
      '2024-02-29x10:00',
      'yesterday',
    ],
  ],
  [{ base: 'timestamptz' }, ['2024-01-31T10:00:00.5Z', '2024-01-31 10:00Z'], ['2024-01-31 25:00', 'epoch']],
  [{ base: 'time' }, ['10:30', '23:59:59.9'], ['now', 'allballs', '1030', '24:00', '9:30', '10:60']],
  [{ base: 'timetz' }, ['10:30:00+02'], ['', '10']],
  [{ base: 'interval' }, ['1 day', 'P1D'], ['', 'PT', 'infinity']],
  [
    { base: 'uuid' },
    ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
    [
      '',
      'a0eebc999c0b4ef8bb6d6bb9bd380a11',
      '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}',
      'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g',
      'a0eebc99-9c0b-4ef8-bb6d_6bb9bd380a11',
    ],
  ],
  [
    { base: 'jsonb' },
    ['1', '[]', '{"a":1,"b":{"a":2},"c":{"a":3}}', '[{"a":":"},{"a":"\\":"}]', '{"a" : ["a","a"], "b":"a"}'],
    [
      '{"a":1,"a":2}',
      '{"b":{},"a":1,"b":{}}',
      '{"a":{"x":1,"y":[{}],"x":2}}',
      '{"\\u0061":1}',
      '{'.repeat(65),
      '}',
    ],
  ],
  [{ base: 'varchar', length: 3 }, ['', 'abc', 'éé', '😀😀😀'], ['abcd', '😀😀😀😀', 'abc ', 'x'.repeat(13)]],
  [{ base: 'bpchar', length: 2 }, ['ab', 'é😀'], ['abc', 'ab ']],
  [
    { base: 'app.mood', kind: 'enum', labels: ['sad', "it's", 'sät', 'ok'] },
    ['sad', 'sät', 'ok'],
    ['', 'Sad', 'sa', 'okk', ' ok'],
  ],
  [{ base: '_int4', kind: 'array', element: 'int4' }, ['{1,2}', '[0:1]={1,2}', '{x}'], ['', '1,2', ' {1}']],
];

test('what goes to the server as it is, and what does not, by type', () => {
  for (const [facts, yes, no] of KNOWN) {
    const of = column('c', facts.base, facts);
    for (const text of yes) assert.equal(says(of, text), true, `${facts.base} ${JSON.stringify(text)}`);
    for (const text of no) assert.equal(says(of, text), false, `${facts.base} ${JSON.stringify(text)}`);
  }
});

test('types whose text is the server’s to judge go as they are; NOT NULL is told', () => {
  for (const base of [
    'text',
    'varchar',
    'bpchar',
    'json',
    'bytea',
    'inet',
    'xml',
    'oid',
    'name',
    'app.thing',
  ])
    assert.deepEqual(columnForms([column('c', base)]), [{ name: 'c' }]);
  assert.deepEqual(columnForms([column('c', 'int4range', { kind: 'range' })]), [{ name: 'c' }]);
  assert.deepEqual(columnForms([column('c', 'app.pair', { kind: 'composite' })]), [{ name: 'c' }]);
  assert.deepEqual(columnForms([column('c', 'text', { notNull: true })]), [{ name: 'c', notNull: true }]);
});

test('more keys than are kept count of, and no more', () => {
  const object = (keys: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i])));
  assert.equal(says(column('c', 'jsonb'), object(256)), true);
  assert.equal(says(column('c', 'jsonb'), object(257)), false);
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  assert.equal(says(column('c', 'jsonb'), nested(64)), true);
  assert.equal(says(column('c', 'jsonb'), nested(65)), false);
});

test('what passes is read by the server as our reader and encoder read it, or refused by both', async (t) => {
  const database = await testDatabase(t);
  await makeTypes(database);
  const client = await database.connect();
  for (const [type, values] of Object.entries({
    ...types,
    text: types['varchar(3)'] as fc.Arbitrary<string>,
  })) {
    const table = `of ${type}`;
    // Where rows lie says little about their order.
    await database.query(`CREATE TABLE ${ident(table)} (v ${type}, n bigserial)`);
    const lanes: Lanes = {
      client,
      table,
      columns: (await readColumns(database, 'public', table)).slice(0, 1),
    };
    const [facts] = lanes.columns as [ColumnFacts];
    const seed = process.env.SLUICE_TEST_RUNS === undefined ? 11 : undefined;
    const sample = fc
      .sample(values, { numRuns: VALUES, ...(seed === undefined ? {} : { seed }) })
      .filter(wellFormed);
    const rowsOf = async () => {
      const rows = await database.query<{ v: string }>(`SELECT v::text FROM ${ident(table)} ORDER BY n`);
      await database.query(`TRUNCATE ${ident(table)}`);
      return rows.map(({ v }) => v);
    };
    const fields = sample.map((text) => ({ text, field: Buffer.from(`${csvField(text)}\n`) }));
    const passed = fields.filter(
      ({ field }) => gate(field, 0, field.length, 44, formsOf(lanes)).refused === undefined,
    );
    const verdicts = await accepted(
      database,
      table,
      passed.map(({ text }) => text),
    );
    await rowsOf();
    const taken: Buffer[] = [];
    for (const [i, { text, field }] of passed.entries()) {
      if (verdicts[i] !== true) continue;
      taken.push(field);
      assert.notEqual(guardFor(facts)?.accepts(text), false, `${type} takes ${text}, and the guard does not`);
    }
    const all = Buffer.concat(taken);
    assert.ok(taken.length > 5 || type === SMALL, `${type}: ${taken.length} of ${passed.length} that passed`);
    assert.equal(await raw(lanes, all), undefined);
    const server = await rowsOf();
    const { text, rejects } = read(lanes, all);
    assert.equal(await encoded(lanes, text), undefined);
    const ours = await rowsOf();
    const other = ours.findIndex((value, i) => value !== server[i]);
    assert.deepEqual(
      [ours.length, other, rejects],
      [server.length, -1, []],
      `${type}: ${ours[other]}, ${server[other]}`,
    );
  }
  await client.end();
});
