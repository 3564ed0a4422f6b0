import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/core/json/parse.js';
import { createTableSql, TypeTally } from '../../src/run/propose-table.js';

function typeOf(...values: readonly unknown[]): string {
  const tally = new TypeTally();
  for (const value of values) tally.add(value);
  return tally.type();
}

test('what only looks like a number stays text', () => {
  for (const values of [
    ['01234', '99999'],
    ['+49301234'],
    ['007'],
    ['1e3'],
    ['12E5'],
    ['1,5'],
    [' 1'],
    ['0x1F'],
    ['1_000'],
    ['-0'],
    ['NaN'],
    ['1.'],
    [''],
  ])
    assert.equal(typeOf(...values), 'text', values.join());
});

test('numbers of JSON are numbers, however they are written', () => {
  for (const [numbers, type] of [
    ['[1,2147483648]', 'bigint'],
    ['[1,9007199254740993]', 'bigint'],
    ['[1,9223372036854775808]', 'numeric'],
    ['[1,2.0]', 'numeric'],
    ['[12.50,1e5,-0,1e400]', 'numeric'],
    ['[12.50,"x"]', 'text'],
    ['[12.50,{"a":1}]', 'jsonb'],
  ] as const)
    assert.equal(typeOf(...(parseJson(numbers) as unknown[])), type, numbers);
});

test('what only looks like a date, a boolean, a uuid or JSON stays text', () => {
  for (const value of [
    '2026-02-30',
    '2026-13-01',
    '01/02/2026',
    'today',
    'yes',
    'n',
    '{1,2}',
    '{oops',
    '"text"',
    '550e8400e29b41d4a716446655440000',
    '2026-01-02 25:00',
    '{"a":"\\u0000"}',
  ])
    assert.equal(typeOf(value), 'text', value);
});

test('a column gets the narrowest type that every value fits', () => {
  assert.equal(typeOf('1', '-20', '0', '2147483647'), 'integer');
  assert.equal(typeOf('1', '2147483648'), 'bigint');
  assert.equal(typeOf('1', '9223372036854775808'), 'numeric');
  assert.equal(typeOf('1', '2.50', '.5', '-0.1'), 'numeric');
  assert.equal(typeOf('t', 'FALSE', 'true'), 'boolean');
  assert.equal(typeOf('1', '0'), 'integer');
  assert.equal(typeOf('2026-02-28', '2024-02-29'), 'date');
  assert.equal(typeOf('2026-02-28', '2026-02-28 12:00:01.5'), 'timestamp');
  assert.equal(
    typeOf('2026-02-28T12:00:01Z', '2026-02-28 12:00:01+02', '2026-02-28 12:00+05:30'),
    'timestamptz',
  );
  assert.equal(typeOf('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), 'uuid');
  assert.equal(typeOf('{"a": 1}', '[]'), 'jsonb');
});

test('one value that does not fit widens the column, wherever it stands', () => {
  assert.equal(typeOf('1', '2', 'x'), 'text');
  assert.equal(typeOf('x', '1', '2'), 'text');
  assert.equal(typeOf('2026-02-28T12:00:01Z', '2026-02-28T12:00:01'), 'text');
  assert.equal(typeOf('t', '1'), 'text');
});

test('NULL fits every type, and a column of nothing else is text', () => {
  assert.equal(typeOf(null, '1', null), 'integer');
  assert.equal(typeOf(null, undefined), 'text');
});

test('values of JSON get the type that they have', () => {
  assert.equal(typeOf(1, 2), 'integer');
  assert.equal(typeOf(1, 2.5, 1e300), 'numeric');
  assert.equal(typeOf(1, '12345678901234567890'), 'numeric');
  assert.equal(typeOf(true, false), 'boolean');
  assert.equal(typeOf({ a: 1 }, [1]), 'jsonb');
  assert.equal(typeOf({ a: 1 }, 'text'), 'jsonb');
  assert.equal(typeOf(true, 'maybe'), 'text');
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
