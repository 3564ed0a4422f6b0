import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Display, ReadAs } from '../../src/copy/own-text.js';
import { createTableSql, TypeTally } from '../../src/copy/propose-table.js';
import { parseJson } from '../../src/core/json/parse.js';

const UTC: Display = { iso: true, utc: true };

function typeFor(as: ReadAs, values: readonly unknown[], display = UTC): string {
  const tally = new TypeTally(display);
  for (const value of values) tally.add(value, as);
  return tally.type();
}

const typeOf = (...values: readonly unknown[]) => typeFor('text', values);
const typeOfJson = (...values: readonly unknown[]) => typeFor('json', values);

test('text that a type would give back as another text stays text', () => {
  for (const values of [
    ['F', 'F'],
    ['T'],
    ['true', 'false'],
    ['01234', '99999'],
    ['+49301234'],
    ['007'],
    ['1e3'],
    ['12E5'],
    ['1,5'],
    [' 1'],
    [' 12 '],
    ['0x1F'],
    ['1_000'],
    ['-0'],
    ['-0.00'],
    ['.5'],
    ['NaN'],
    ['1.'],
    [''],
    ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
    ['550e8400e29b41d4a716446655440000'],
    ['2026-02-28T12:00:01'],
    ['2026-02-28 12:00'],
    ['2026-02-28 12:00:01.50'],
    ['2026-02-28 24:00:00'],
    ['2026-02-28 12:00:60'],
    ['2026-02-28 12:00:01+02'],
    ['2026-02-28T12:00:01Z'],
    ['2026-02-28', '2026-02-28 12:00:01'],
    ['\\x0A'],
    ['1 day'],
    ['{1,2}'],
  ])
    assert.equal(typeOf(...values), 'text', values.join());
});

test('what only looks like a date, a boolean or JSON stays text', () => {
  for (const value of [
    '2026-02-30',
    '2026-13-01',
    '0000-01-01',
    '01/02/2026',
    'today',
    'yes',
    'n',
    '{oops',
    '"text"',
    '2026-01-02 25:00:00',
    `${'['.repeat(1500)}${']'.repeat(1500)}`,
  ])
    assert.equal(typeOf(value), 'text', value);
});

test('a column gets the narrowest type that gives back every value', () => {
  assert.equal(typeOf('t', 'f'), 'boolean');
  assert.equal(typeOf('1', '-20', '0', '2147483647'), 'integer');
  assert.equal(typeOf('1', '2147483648'), 'bigint');
  assert.equal(typeOf('1', '9223372036854775808'), 'numeric');
  assert.equal(typeOf('1', '2.50', '0.5', '-0.10'), 'numeric');
  assert.equal(typeOf('1', '0'), 'integer');
  assert.equal(typeOf('2026-02-28', '2024-02-29'), 'date');
  assert.equal(typeOf('2026-02-28 00:00:00', '2026-02-28 12:00:01.5'), 'timestamp');
  assert.equal(typeOf('2026-02-28 12:00:01+00'), 'timestamptz');
  assert.equal(typeOf('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), 'uuid');
  assert.equal(typeOf('{"b": 1, "a": 1.0}', '[]'), 'json');
});

test('numeric is proposed as far as its digits go', () => {
  const nines = (count: number) => '9'.repeat(count);
  assert.equal(typeOf(nines(131_072)), 'numeric');
  assert.equal(typeOf(nines(131_073)), 'text');
  assert.equal(typeOf(`0.${nines(16_383)}`), 'numeric');
  assert.equal(typeOf(`0.${nines(16_384)}`), 'text');
});

test('where the database shows points in time in another way, they stay text', () => {
  const times = ['2026-02-28', '2026-02-28 12:00:01', '2026-02-28 12:00:01+00'];
  const typesIn = (display: Display) => times.map((time) => typeFor('text', [time], display));
  assert.deepEqual(typesIn({ iso: true, utc: false }), ['date', 'timestamp', 'text']);
  assert.deepEqual(typesIn({ iso: false, utc: true }), ['text', 'text', 'text']);
});

test('one value that does not fit widens the column, wherever it stands', () => {
  assert.equal(typeOf('1', '2', 'x'), 'text');
  assert.equal(typeOf('x', '1', '2'), 'text');
  assert.equal(typeOf('2026-02-28 12:00:01', '2026-02-28 12:00:01+00'), 'text');
  assert.equal(typeOf('t', '1'), 'text');
  assert.equal(typeOf('{}', '{'), 'text');
});

test('NULL fits every type, and a column of nothing else is text', () => {
  assert.equal(typeOf(null, '1', null), 'integer');
  assert.equal(typeOf(null, undefined), 'text');
});

test('values of JSON get the type that they have', () => {
  assert.equal(typeOfJson(1, 2), 'integer');
  assert.equal(typeOfJson(1, 2.5, 1e300), 'numeric');
  assert.equal(typeOfJson(1, '12345678901234567890'), 'numeric');
  assert.equal(typeOfJson(true, false), 'boolean');
  assert.equal(typeOfJson({ a: 1 }, [1]), 'jsonb');
  assert.equal(typeOfJson({ a: 1 }, 'text'), 'jsonb');
  assert.equal(typeOfJson('text', { a: 1 }), 'jsonb');
  assert.equal(typeOfJson(true, 'maybe'), 'text');
  assert.equal(typeOfJson(true, 1), 'text');
});

test('numbers of JSON are numbers, however they are written', () => {
  for (const [numbers, type] of [
    ['[1,2147483648]', 'bigint'],
    ['[1,9007199254740993]', 'bigint'],
    ['[1,9223372036854775808]', 'numeric'],
    ['[1,2.0]', 'numeric'],
    ['[12.50,1e5,-0,1e400]', 'numeric'],
    ['[1e-16383]', 'numeric'],
    ['[1e200000]', 'text'],
    ['[12.50,"x"]', 'text'],
    ['[12.50,{"a":1}]', 'jsonb'],
  ] as const)
    assert.equal(typeOfJson(...(parseJson(numbers) as unknown[])), type, numbers);
});

test('a string of JSON that holds JSON is text, and what jsonb cannot store is json', () => {
  assert.equal(typeOfJson('{"a": 1}'), 'text');
  assert.equal(typeOfJson({ a: 'nul\0' }), 'json');
  assert.equal(typeOfJson({ a: 1 }, { a: '\ud800' }), 'json');
  assert.equal(typeOfJson({ a: 'no escape: \\u0000' }), 'jsonb');
});

test('files of CSV and of JSON have one type for a column that both have', () => {
  const tally = new TypeTally(UTC);
  tally.add({ a: 1 }, 'json');
  tally.add('{"a":  1}', 'text');
  assert.equal(tally.type(), 'json');
});

test('the statement quotes every name, and only a key is NOT NULL', () => {
  assert.equal(
    createTableSql({
      schema: 'shop',
      table: 'Orders"; DROP',
      columns: [
        { name: 'id', type: 'bigint' },
        { name: 'select', type: 'text' },
      ],
      key: ['id'],
    }),
    'CREATE TABLE "shop"."Orders""; DROP" (\n  "id" bigint,\n  "select" text,\n  PRIMARY KEY ("id")\n)',
  );
});
