/**
 * Decimals as text, digit for digit: RFC 8259 sets no limit to the digits of a number, and a double has 17 at most.
 */

/** A decimal: its significant digits (no zeros at either end, none for 0) and the power of ten of the last. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly power: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** The value of a number as JSON, JavaScript or a CSV file writes it; undefined where `text` is none. */
export function decimalOf(text: string): Decimal | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole.length + fraction.length === 0) return undefined;
  const all = whole + fraction;
  let from = 0;
  while (all.charCodeAt(from) === 48) from++;
  if (from === all.length) return ZERO;
  let to = all.length;
  while (all.charCodeAt(to - 1) === 48) to--;
  const shift = Math.max(-FURTHEST, Math.min(FURTHEST, Number(exponent)));
  const power = shift - fraction.length + (all.length - to);
  return { negative: sign === '-', digits: all.slice(from, to), power };
}

/** Exponents further out are taken for this one: no file is long enough for the difference. */
const FURTHEST = 2 ** 50;

const ZERO: Decimal = { negative: false, digits: '', power: 0 };

/** Below 0 where `a` is less than `b`, 0 where they have the same value, else above 0. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  return a.negative ? compareSizes(b, a) : compareSizes(a, b);
}

function compareSizes(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return a.digits.length - b.digits.length;
  const size = a.digits.length + a.power - (b.digits.length + b.power);
  if (size !== 0) return size;
  // Digits before the same place compare as text does, one that is the beginning of the other first.
  return a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0;
}

/** Whether it has no fraction. */
export const isWhole = ({ power }: Decimal): boolean => power >= 0;

/** Whether `of` is `unit` times a whole number. Exponents of any size cost no more than their digits. */
export function isMultiple(of: Decimal, unit: Decimal): boolean {
  if (of.digits === '') return true;
  if (unit.digits === '') return false;
  const digits = BigInt(of.digits);
  const divisor = BigInt(unit.digits);
  const power = of.power - unit.power;
  if (power >= 0) return ((digits % divisor) * powerOfTen(power, divisor)) % divisor === 0n;
  // Its last digit is none, so it is a multiple of so many tens only where there are so many digits.
  return false;
}

/** 10^`power` modulo `modulus`. */
function powerOfTen(power: number, modulus: bigint): bigint {
  let result = 1n % modulus;
  let base = 10n % modulus;
  for (let left = power; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return result;
}

/** The double that has this value to all the digits it is written with, or undefined where none has. */
export function doubleOf(text: string): number | undefined {
  const number = Number(text);
  if (!Number.isFinite(number)) return undefined;
  const decimal = decimalOf(text);
  if (decimal === undefined) return undefined;
  const { length } = decimal.digits;
  if (length === 0) return number;
  if (length > 100) return undefined;
  const back = decimalOf(number.toPrecision(length));
  return back !== undefined && back.digits === decimal.digits && back.power === decimal.power
    ? number
    : undefined;
}
