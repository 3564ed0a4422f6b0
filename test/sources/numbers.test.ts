import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { exactNumber, parseExact } from '../../src/sources/numbers.js';

test('a literal is a number only where the number has its value', () => {
  for (const [literal, expected] of [
    ['0', 0],
    ['-0', -0],
    ['1.50', 1.5],
    ['1e3', 1000],
    ['1.5E-3', 0.0015],
    ['0.1', 0.1],
    ['9007199254740991', 9007199254740991],
    ['9007199254740992', '9007199254740992'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551616', '18446744073709551616'],
    ['0.12345678901234567890', '0.12345678901234567890'],
    ['0.10000000000000000000', 0.1],
    ['1e400', '1e400'],
    ['1e-400', '1e-400'],
    ['0e-400', 0],
    ['1e22', 1e22],
    ['123456789.123456789', '123456789.123456789'],
    ['2.2250738585072014e-308', 2.2250738585072014e-308],
  ] as const) {
    assert.equal(exactNumber(literal), expected, literal);
  }
});

test('JSON without long numbers is what JSON.parse makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      const expected = JSON.parse(text, (_, v: unknown) =>
        typeof v === 'number' && Number.isInteger(v) && !Number.isSafeInteger(v) && !/e/.test(String(v))
          ? String(v)
          : v,
      );
      assert.deepEqual(parseExact(text), expected);
    }),
    { seed: 5, numRuns: 500 },
  );
});

test('digits inside strings and keys are left alone, escapes and all', () => {
  const text = String.raw`{"12345678901234567890":"\\\"12345678901234567890","a\"":12345678901234567890,"b":"\\","c":1e999}`;
  assert.deepEqual(parseExact(text), {
    '12345678901234567890': '\\"12345678901234567890',
    'a"': '12345678901234567890',
    b: '\\',
    c: '1e999',
  });
});

test('what is not JSON is a SyntaxError also where its numbers are long', () => {
  for (const text of [
    '{"a":012345678901234567890}',
    '{"a":12345678901234567890.}',
    '{"a":+12345678901234567890}',
  ]) {
    assert.throws(() => parseExact(text), SyntaxError);
  }
});
