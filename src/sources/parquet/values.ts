import { isUtf8 } from 'node:buffer';
import type { SchemaElement } from 'hyparquet';
import { dateText, momentText, timeText, type Unit } from '../moments.js';

/** A text of a file that PostgreSQL cannot have; the row is rejected. */
export class UnfitText {
  constructor(
    readonly reason: 'invalid_utf8' | 'nul_in_text',
    /** The bytes, with U+FFFD for what is no UTF-8. */
    readonly shown: string,
  ) {}
}

/** How the values of a leaf of the schema are read; a value is what the package gives where it is told of no types. */
export interface Leaf {
  /** As PostgreSQL reads the very value; never called with null. */
  text(value: unknown): string | UnfitText;
  /** The type of PostgreSQL that holds every value; undefined where none does. */
  readonly type: string | undefined;
  /** Within a value of JSON: a number, a boolean, or else a text. */
  readonly json: 'number' | 'boolean' | 'text';
}

/**
 * How the leaf `element` is read: its physical type with what the logical type says of it
 * (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md); undefined for a type that is not known. No number
 * becomes a double that was none.
 */
export function leafOf(element: SchemaElement): Leaf | undefined {
  const { type, logical_type: logical, converted_type: converted } = element;
  if (logical?.type === 'NULL') return { text: String, type: 'text', json: 'text' };
  if (logical?.type === 'DECIMAL' || converted === 'DECIMAL') return decimal(element);
  switch (type) {
    case 'BOOLEAN':
      return { text: (value) => (value ? 't' : 'f'), type: 'boolean', json: 'boolean' };
    case 'INT32':
    case 'INT64':
      return moment(element) ?? integer(element);
    case 'INT96':
      // The days and nanoseconds of Impala and old Spark, which say nothing of a zone.
      return {
        text: (value) => momentText(value as bigint, 'NANOS', false),
        type: 'timestamp',
        json: 'text',
      };
    case 'FLOAT':
      return { text: double, type: 'real', json: 'number' };
    case 'DOUBLE':
      return { text: double, type: 'double precision', json: 'number' };
    case 'BYTE_ARRAY':
      return bytes(element);
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'UUID') return { text: uuid, type: 'uuid', json: 'text' };
      if (logical?.type === 'FLOAT16') return { text: half, type: 'real', json: 'number' };
      if (logical?.type === 'INTERVAL' || converted === 'INTERVAL')
        return { text: interval, type: 'interval', json: 'text' };
      return BYTEA;
    default:
      return undefined;
  }
}

function integer({ type, logical_type: logical, converted_type: converted }: SchemaElement): Leaf {
  const told = /^UINT_(\d+)$/.exec(converted ?? '');
  const isUnsigned = logical?.type === 'INTEGER' ? !logical.isSigned : told !== null;
  const width =
    logical?.type === 'INTEGER'
      ? logical.bitWidth
      : Number(told?.[1] ?? /^INT_(\d+)$/.exec(converted ?? '')?.[1] ?? (type === 'INT32' ? 32 : 64));
  const text: Leaf['text'] = !isUnsigned
    ? String
    : type === 'INT32'
      ? (value) => String((value as number) >>> 0)
      : (value) => String(BigInt.asUintN(64, value as bigint));
  const bits = width + (isUnsigned ? 1 : 0);
  return {
    text,
    type: bits <= 16 ? 'smallint' : bits <= 32 ? 'integer' : bits <= 64 ? 'bigint' : 'numeric(20)',
    json: 'number',
  };
}

/** Dates, times and moments; undefined of a plain number. */
function moment({ type, logical_type: logical, converted_type: converted }: SchemaElement): Leaf | undefined {
  if (logical?.type === 'DATE' || converted === 'DATE')
    return { text: (value) => dateText(Number(value)), type: 'date', json: 'text' };
  const isTime = logical?.type === 'TIME' || /^TIME_/.test(converted ?? '');
  const isMoment = logical?.type === 'TIMESTAMP' || /^TIMESTAMP_/.test(converted ?? '');
  if (!isTime && !isMoment) return undefined;
  const unit: Unit =
    logical?.type === 'TIME' || logical?.type === 'TIMESTAMP'
      ? logical.unit
      : (/(MILLIS|MICROS)$/.exec(converted ?? '')?.[1] as Unit);
  const count =
    type === 'INT32' ? (value: unknown) => BigInt(value as number) : (value: unknown) => value as bigint;
  // PostgreSQL's own zone for a time alone would be that of the day on which it is asked.
  if (isTime) return { text: (value) => timeText(count(value), unit), type: 'time', json: 'text' };
  // Older writers have no logical type, and mean UTC.
  const utc = logical?.type === 'TIMESTAMP' ? logical.isAdjustedToUTC : true;
  return {
    text: (value) => momentText(count(value), unit, utc),
    type: utc ? 'timestamptz' : 'timestamp',
    json: 'text',
  };
}

function decimal(element: SchemaElement): Leaf {
  const { type, logical_type: logical } = element;
  const scale = (logical?.type === 'DECIMAL' ? logical.scale : element.scale) ?? 0;
  const precision = (logical?.type === 'DECIMAL' ? logical.precision : element.precision) ?? 38;
  const unscaled =
    type === 'INT32' || type === 'INT64'
      ? (value: unknown) => BigInt(value as number | bigint)
      : (value: unknown) => signed(value as Uint8Array);
  return {
    text(value) {
      const number = unscaled(value);
      if (scale === 0) return String(number);
      const digits = String(number < 0n ? -number : number).padStart(scale + 1, '0');
      return `${number < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    },
    type: `numeric(${precision},${scale})`,
    json: 'number',
  };
}

/** A whole number in two's complement, the most significant byte first. */
function signed(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${buffer.toString('hex')}`));
}

/** In the fewest digits that are the same double; PostgreSQL's words for what is no number are JavaScript's. */
const double = (value: unknown) => (Object.is(value, -0) ? '-0' : String(value));

/** IEEE 754 binary16, the least significant byte first. */
function half(value: unknown): string {
  const [low = 0, high = 0] = value as Uint8Array;
  const sign = high >> 7 ? -1 : 1;
  const exponent = (high >> 2) & 0x1f;
  const fraction = ((high & 3) << 8) | low;
  if (exponent === 0x1f) return double(fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN);
  return double(
    exponent === 0 ? sign * 2 ** -24 * fraction : sign * 2 ** (exponent - 15) * (1 + fraction / 1024),
  );
}

function interval(value: unknown): string {
  const bytes = value as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [months, days, millis] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [number, number, number];
  return `${months} mons ${days} days ${Math.floor(millis / 1000)}.${String(millis % 1000).padStart(3, '0')} secs`;
}

function uuid(value: unknown): string {
  const hex = hexOf(value as Uint8Array);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const hexOf = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

const BYTEA: Leaf = { text: (value) => `\\x${hexOf(value as Uint8Array)}`, type: 'bytea', json: 'text' };

function bytes({ logical_type: logical, converted_type: converted }: SchemaElement): Leaf {
  if (logical?.type === 'JSON' || converted === 'JSON') return { text: utf8, type: 'json', json: 'text' };
  const isText =
    logical?.type === 'STRING' || logical?.type === 'ENUM' || converted === 'UTF8' || converted === 'ENUM';
  return isText ? { text: utf8, type: 'text', json: 'text' } : BYTEA;
}

/** A text, which the keys of maps are already. */
function utf8(value: unknown): string | UnfitText {
  if (typeof value === 'string') return value.includes('\0') ? new UnfitText('nul_in_text', value) : value;
  const { buffer, byteOffset, byteLength } = value as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const text = bytes.toString('utf8');
  if (text.includes('\0')) return new UnfitText('nul_in_text', text);
  // Only what was replaced, or stands there itself, can be wrong.
  return text.includes('\ufffd') && !isUtf8(bytes) ? new UnfitText('invalid_utf8', text) : text;
}
