import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareDecimals,
  type Decimal,
  decimalOf,
  doubleOf,
  isMultiple,
  isWhole,
} from '../../../src/core/json/decimal.js';
import { literal } from '../../support/json.js';

const decimal = (text: string) => decimalOf(text) as Decimal;

/** Fractions of whole numbers, which are slow and cannot be wrong. */
function fraction(text: string): { over: bigint; under: bigint } {
  const [, sign, whole, digits = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(
    text,
  ) as unknown as string[];
  const power = BigInt(exponent as string) - BigInt((digits as string).length);
  const number = BigInt(`${whole}${digits}`) * (sign === '-' ? -1n : 1n);
  return power >= 0n ? { over: number * 10n ** power, under: 1n } : { over: number, under: 10n ** -power };
}

test('decimals compare and divide as fractions of whole numbers do', () => {
  fc.assert(
    fc.property(literal, literal, (a, b) => {
      const [x, y] = [fraction(a), fraction(b)];
      const difference = x.over * y.under - y.over * x.under;
      assert.equal(
        Math.sign(compareDecimals(decimal(a), decimal(b))),
        difference < 0n ? -1 : difference > 0n ? 1 : 0,
      );
      assert.equal(isWhole(decimal(a)), x.over % x.under === 0n);
      if (y.over !== 0n)
        assert.equal(
          isMultiple(decimal(a), decimal(b)),
          (x.over * y.under) % (x.under * y.over) === 0n,
          `${a} ${b}`,
        );
    }),
    { numRuns: 500 },
  );
});

test('equal values compare as equal however they are written', () => {
  for (const [a, b] of [
    ['1.0', '1'],
    ['0.0', '-0e9'],
    ['1e3', '1000'],
    ['1200e-2', '12'],
  ] as const)
    assert.equal(compareDecimals(decimal(a), decimal(b)), 0, `${a} ${b}`);
});

test('exponents without end cost nothing, and what is no decimal is none', () => {
  const huge = decimal(`1e${'9'.repeat(400)}`);
  assert.ok(compareDecimals(huge, decimal('1e308')) > 0);
  assert.equal(isMultiple(huge, decimal('7')), false);
  for (const text of ['', '.', '-', 'NaN', '1e', '0x10', ' 1'])
    assert.equal(decimalOf(text), undefined, text);
});

test('a double stands for a decimal whose digits it gives back', () => {
  for (const [text, number] of [
    ['12.50', 12.5],
    ['-83.643987957933206', -83.643987957933206],
    ['0.1000000000000000055511151231257827', 0.1],
    ['9007199254740993', undefined],
    ['9007199254740992.0', 2 ** 53],
    ['1e400', undefined],
    ['1e-400', undefined],
    ['0e-400', 0],
    ['12345678901234567.89', undefined],
    ['1234567890123456789012345', undefined],
  ] as const)
    assert.equal(doubleOf(text), number, text);
});
