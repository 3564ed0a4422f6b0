import { withoutEnd } from '../../src/core/ends.js';
import { doubleOf } from '../../src/core/json/decimal.js';
import { type ExactNumber, isExactNumber } from '../../src/core/json/exact-number.js';
import type { AnyRow, Column, Row } from '../../src/core/row.js';
import { RowError } from '../failure.js';
import type { KeyBytes } from './key-bytes.js';

/** One key of an order. A bare column name means text. */
export type OrderKey<R extends AnyRow = Row> = Column<R> | OrderColumn<R>;

export interface OrderColumn<R extends AnyRow = Row> {
  /** A column, or a function for a key that no column holds. */
  readonly column: Column<R> | ((row: R) => unknown);
  /**
   * `text` (default): by code point, which is COLLATE "C" in a UTF-8 database. `shortlex`: the shorter
   * first (in characters, as SQL's length), then as text. `number`: by value, any precision; text such as
   * '12.50', numbers and bigints alike.
   */
  readonly as?: 'text' | 'shortlex' | 'number' | 'integer';
  readonly descending?: boolean;
  /** Default as in PostgreSQL: last when ascending, first when descending. */
  readonly nulls?: 'first' | 'last';
}

/** A function's key: a value or several; numbers come before text, NULL last. */
export type OrderValue = string | number | bigint | ExactNumber | boolean | Date | null | undefined;

export type OrderBy<R extends AnyRow = Row> =
  | OrderKey<R>
  | readonly OrderKey<R>[]
  | ((row: R) => OrderValue | readonly OrderValue[]);

/**
 * Appends the place of a row in the order to `key`: comparing keys byte by byte is the order itself, so
 * that a sort compares flat bytes and calls nothing. Throws a RowError (`not_a_number`, `not_an_integer`)
 * for a value that has no place. What a column appends ends in a byte below (or, inverted, above) all that
 * it may hold, so that columns can stand side by side and no key is the beginning of another.
 */
export type KeyWriter<R extends AnyRow = Row> = (row: R, key: KeyBytes) => void;

/** The writer of keys in the order `by`. */
export function keyWriter<R extends AnyRow = Row>(by: OrderBy<R>): KeyWriter<R> {
  if (typeof by === 'function') {
    return (row, key) => {
      const values = by(row);
      if (!Array.isArray(values)) writeValue(values as OrderValue, key);
      else for (const value of values as readonly OrderValue[]) writeValue(value, key);
    };
  }
  const [first, ...others] = (isList(by) ? by : [by]).map((key) => columnWriter(key));
  if (first === undefined) return () => {};
  if (others.length === 0) return first;
  return (row, key) => {
    first(row, key);
    for (const write of others) write(row, key);
  };
}

const NULL_LAST = 'z';
const NULL_FIRST = 'a';

function columnWriter<R extends AnyRow>(of: OrderKey<R>): KeyWriter<R> {
  const order: OrderColumn<R> = typeof of === 'object' ? of : { column: of };
  const { column, as = 'text', descending = false, nulls } = order;
  const nullsFirst = nulls === undefined ? descending : nulls === 'first';
  // Inverting turns the order round, NULL included.
  const absent = nullsFirst === descending ? NULL_LAST : NULL_FIRST;
  const write = WRITERS[as];
  const named = typeof column === 'string' ? column : 'a sort key';
  const up: KeyWriter<R> = (row, key) => {
    const value = typeof column === 'function' ? column(row) : row[column];
    if (value === null || value === undefined) key.ascii(absent);
    else write(value, key, named);
  };
  if (!descending) return up;
  return (row, key) => {
    const from = key.length;
    up(row, key);
    key.invert(from);
  };
}

/** A list may be read-only, which Array.isArray does not know. */
const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);

type Write = (value: unknown, key: KeyBytes, column: string) => void;

const WRITERS: Record<NonNullable<OrderColumn['as']>, Write> = {
  text: (value, key) => {
    key.ascii('t');
    key.text(textOf(value));
  },
  shortlex: (value, key) => {
    const text = textOf(value);
    key.ascii(encodeDigits(String(lengthOf(text))));
    key.ascii('t');
    key.text(text);
  },
  number: (value, key, column) => key.ascii(encodeNumber(value, column)),
  integer: (value, key, column) => {
    if (typeof value === 'string' && writeDigits(value, key)) return;
    // 1.0 and 1e3 of JSON are whole numbers.
    const double = isExactNumber(value) ? doubleOf(value.literal) : undefined;
    if (Number.isInteger(double)) {
      key.ascii(encodeNumber(double, column));
      return;
    }
    if (!/^[+-]?[0-9]+$/.test(textOf(value))) throw notNumeric('integer', value, column);
    key.ascii(encodeNumber(value, column));
  },
};

function writeValue(value: OrderValue, key: KeyBytes): void {
  if (value === null || value === undefined) key.ascii(NULL_LAST);
  else if (typeof value === 'number' || typeof value === 'bigint' || isExactNumber(value))
    key.ascii(encodeNumber(value));
  else if (value instanceof Date) key.ascii(encodeNumber(value.getTime()));
  else {
    key.ascii('t');
    key.text(String(value));
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value instanceof Date ? value.toISOString() : String(value);
}

function lengthOf(text: string): number {
  let length = text.length;
  for (let i = 1; i < text.length; i++) {
    const low = text.charCodeAt(i) & 0xfc00;
    if (low === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) length--;
  }
  return length;
}

/** What `encodeDigits` gives, for a positive integer as it is usually written; false for any other text. */
function writeDigits(text: string, key: KeyBytes): boolean {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS) return false;
  key.reserve(length + 3);
  const { bytes } = key;
  const at = key.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
    bytes[at + 2 + i] = code;
  }
  if (bytes[at + 2] === 48) return false;
  bytes[at] = 0x6e;
  bytes[at + 1] = 0x50 + length;
  bytes[at + 2 + length] = 0x21;
  key.length = at + length + 3;
  return true;
}

/** The longest integer part: lengths of either sign fit one ASCII character below '~'. */
const MAX_DIGITS = 45;
const PLUS = Array.from({ length: MAX_DIGITS + 1 }, (_, digits) => `n${String.fromCharCode(0x50 + digits)}`);
const MINUS = Array.from({ length: MAX_DIGITS + 1 }, (_, digits) => `n${String.fromCharCode(0x4f - digits)}`);

const ZERO = `${PLUS[0]}!`;

/** Digits without sign and leading zeros, at most 45. */
function encodeDigits(digits: string): string {
  return `${PLUS[digits.length] as string}${digits}!`;
}

/**
 * Any decimal as text in the order of its value: how many digits stand before the point, the digits, the
 * fraction without trailing zeros. All of it is complemented for negative numbers.
 */
function encodeNumber(value: unknown, column?: string): string {
  if (value === 0) return ZERO;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0)
    return encodeDigits(String(value));
  const text = value instanceof Date ? String(value.getTime()) : String(value);
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,3}))?$/.exec(text);
  if (parts === null || `${parts[2]}${parts[3] ?? ''}` === '') return encodeSpecial(text, value, column);
  let whole = parts[2] as string;
  let fraction = parts[3] ?? '';
  const exponent = Number(parts[4] ?? 0);
  if (exponent > 0) {
    whole += fraction.slice(0, exponent).padEnd(exponent, '0');
    fraction = fraction.slice(exponent);
  } else if (exponent < 0) {
    fraction = whole.slice(exponent).padStart(-exponent, '0') + fraction;
    whole = whole.slice(0, exponent);
  }
  whole = whole.replace(/^0+/, '');
  fraction = withoutEnd(fraction, /0/);
  if (whole.length > MAX_DIGITS) throw notNumeric(`number of at most ${MAX_DIGITS} digits`, value, column);
  if (parts[1] !== '-' || `${whole}${fraction}` === '') return `${PLUS[whole.length]}${whole}${fraction}!`;
  const complement = `${whole}${fraction}`.replace(/[0-9]/g, (digit) => String(9 - Number(digit)));
  return `${MINUS[whole.length]}${complement}~`;
}

/** Infinities at the ends and NaN above all, as PostgreSQL sorts them. */
function encodeSpecial(text: string, value: unknown, column: string | undefined): string {
  const word = text.toLowerCase();
  if (word === 'nan') return 'n~~!';
  if (word === 'infinity') return 'n~!';
  if (word === '-infinity') return 'n !';
  throw notNumeric('number', value, column);
}

function notNumeric(expected: string, value: unknown, column: string | undefined): RowError {
  const reason = expected === 'integer' ? 'not_an_integer' : 'not_a_number';
  const where = column === undefined ? 'a sort key' : column;
  return new RowError(
    reason,
    `${where} must be a${expected === 'integer' ? 'n' : ''} ${expected} to be sorted by`,
    {
      ...(column === undefined ? {} : { column }),
      value,
      expected,
    },
  );
}
