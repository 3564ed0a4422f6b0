import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExactNumber, isExactNumber, numberOf } from '../../../src/core/json/exact-number.js';
import { countKeys, parseJson } from '../../../src/core/json/parse.js';
import { jsonText } from '../../../src/core/json/write.js';
import { literal } from '../../support/json.js';

const exact = (text: string) => new ExactNumber(text);

test('a literal is a number only where it is written as JavaScript writes it', () => {
  for (const [text, expected] of [
    ['0', 0],
    ['-0', exact('-0')],
    ['1.0', exact('1.0')],
    ['1.50', exact('1.50')],
    ['1e3', exact('1e3')],
    ['1E400', exact('1E400')],
    ['0.1', 0.1],
    ['0.000001', 0.000001],
    ['0.0000001', exact('0.0000001')],
    ['1e-7', 1e-7],
    ['1e+21', exact('1e+21')],
    ['999999999999999', 999999999999999],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551616', 18446744073709551616n],
    ['0.12345678901234567890', exact('0.12345678901234567890')],
    ['-83.643987957933206', exact('-83.643987957933206')],
    ['2.2250738585072014e-308', 2.2250738585072014e-308],
    ['123456789.123456789', exact('123456789.123456789')],
    ['1'.repeat(1001), exact('1'.repeat(1001))],
  ] as const) {
    assert.deepEqual(numberOf(text), expected, text);
    assert.deepEqual(parseJson(` [${text} ]`), [expected], text);
  }
});

test('any JSON is what JSON.parse makes of it, but for numbers, which are written again as they were', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      literal,
      fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
      fc.constantFrom('null', 'true', 'false', '"4503599627370496"'),
      fc.array(tie('value') as fc.Arbitrary<string>, { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
      fc
        .uniqueArray(fc.tuple(fc.oneof(fc.string(), fc.constant('__proto__')), tie('value')), {
          selector: ([key]) => key,
          maxLength: 4,
        })
        // Whole numbers as keys would change places.
        .map(
          (fields) => `{${fields.map(([key, item]) => `${JSON.stringify(`k${key}`)}:${item}`).join(',')}}`,
        ),
    ),
  })).value as fc.Arbitrary<string>;
  fc.assert(
    fc.property(value, (text) => {
      const parsed = parseJson(text);
      assert.equal(jsonText(parsed), withSameEscapes(text));
      assert.deepEqual(asDoubles(parsed), JSON.parse(text));
    }),
    { numRuns: 300 },
  );
});

/** `text` with its strings as JSON.stringify writes them. */
const withSameEscapes = (text: string) =>
  text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"/g, (quoted) => JSON.stringify(JSON.parse(quoted)));

function asDoubles(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (isExactNumber(value)) return Number(value.literal);
  if (Array.isArray(value)) return value.map(asDoubles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asDoubles(item)]));
}

test('digits inside strings and keys are left alone, escapes and all; __proto__ is a key like any other', () => {
  const text = String.raw`{"12345678901234567890":"\\\"12345678901234567890","a\"":12345678901234567890,"b":"\\","c":1e999,"__proto__":{"d":[1.0]},"é":1.0}`;
  const parsed = parseJson(text) as object;
  assert.equal(jsonText(parsed), text);
  assert.deepEqual(Object.keys(parsed), ['12345678901234567890', 'a"', 'b', 'c', '__proto__', 'é']);
  assert.equal(Object.getPrototypeOf(parsed), Object.prototype);
  assert.equal(countKeys(parsed), 7);
});

test('what is not JSON is a SyntaxError also where its numbers are long', () => {
  for (const text of [
    '{"a":012345678901234567890}',
    '{"a":12345678901234567890.}',
    '{"a":+12345678901234567890}',
    '{"a":-}',
    '[1.0.0]',
    '[1e]',
    '[12345678901234567890 1]',
  ]) {
    assert.throws(() => parseJson(text), SyntaxError, text);
  }
});

test('in arithmetic an exact number is the double of its value, and where there is none an error, not another number', () => {
  const values = parseJson(
    '[12.50, 1e3, -83.643987957933206, 0.1234567890123456789, 1e400, 9007199254740993]',
  );
  const [price, thousand, longitude, fraction, huge, id] = values as [
    number,
    number,
    number,
    number,
    number,
    bigint,
  ];
  assert.equal(price * 2, 25);
  assert.equal(price + 1, 13.5);
  assert.ok(price > 12 && price < 13);
  assert.equal(Number(thousand), 1000);
  assert.equal(longitude + 0, -83.6439879579332);
  assert.equal(`${price}`, '12.50');
  assert.equal(String(fraction), '0.1234567890123456789');
  assert.equal(JSON.stringify({ price }), '{"price":12.5}');
  for (const lost of [
    () => fraction + 1,
    () => huge * 2,
    () => Number(fraction),
    () => JSON.stringify([fraction]),
  ])
    assert.throws(
      lost,
      /RangeError: .*(0\.1234567890123456789|1e400) has more digits than a JavaScript number/,
    );
  assert.throws(() => (id as unknown as number) * 2, TypeError);
  assert.equal(`${id}-1`, '9007199254740993-1');
});
