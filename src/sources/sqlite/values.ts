import type { SQLiteValue as Cell } from 'node-sqlite3-wasm';
import type { DateUnit, SqliteType } from '../../core/types.js';

/** What a declared type means; https://www.prisma.io/docs/orm/overview/databases/sqlite#type-mapping */
export function typeOf(declared: string): SqliteType {
  if (/^bool/i.test(declared)) return 'boolean';
  if (/^(datetime|timestamp)/i.test(declared)) return 'datetime';
  return 'text';
}

/**
 * Any cell as the text that PostgreSQL reads it from: integers with all their digits, reals in the fewest digits
 * that give the same number, blobs as bytea's hexadecimal.
 */
export function textOf(cell: Cell): string | null {
  if (cell === null || typeof cell === 'string') return cell;
  if (typeof cell === 'object')
    return `\\x${Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('hex')}`;
  return String(cell);
}

/** 0 and 1 as PostgreSQL writes a boolean; anything else as it is, for the column's guard to refuse. */
function booleanOf(text: string | null): string | null {
  return text === '1' ? 't' : text === '0' ? 'f' : text;
}

export const DATE_UNITS: readonly DateUnit[] = [
  'seconds',
  'milliseconds',
  'microseconds',
  'nanoseconds',
  'julian',
  'text',
];

const NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * A date as PostgreSQL writes a timestamptz in UTC, by how its column stores dates: numbers, ISO 8601 text, or
 * (SQLite's CURRENT_TIMESTAMP) `2024-03-01 09:00:00` in UTC. What is none of these stays as it is.
 */
export const momentOf: Readonly<Record<DateUnit, (text: string | null) => string | null>> = {
  seconds: moment((text) => sinceEpoch(text, 0)),
  milliseconds: moment((text) => sinceEpoch(text, 3)),
  microseconds: moment((text) => sinceEpoch(text, 6)),
  nanoseconds: moment((text) => sinceEpoch(text, 9)),
  julian: moment(fromJulian),
  text: moment((text) => text),
};

function moment(fromNumber: (text: string) => string | undefined) {
  return (text: string | null): string | null => {
    if (text === null) return null;
    return NUMBER.test(text) ? (fromNumber(text) ?? text) : fromText(text);
  };
}

const DAY = 86_400;
/** Years 1 to 9999, which have four digits; further out a number stays the number it was. */
const FIRST_DAY = Date.parse('0001-01-01T00:00:00Z') / DAY / 1000;
const LAST_DAY = Date.parse('9999-12-31T00:00:00Z') / DAY / 1000;
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));
const days = new Map<number, string>();

/** A number since 1970 of which `10 ** digits` make a second, with every digit it has. */
function sinceEpoch(text: string, digits: number): string | undefined {
  if (text.length > 15 || text.includes('.')) return exactly(text, digits);
  const number = Number(text);
  if (digits === 0) return written(number, '');
  const per = 10 ** digits;
  const seconds = Math.floor(number / per);
  return written(seconds, String(number - seconds * per).padStart(digits, '0'));
}

/** The same for numbers that are no integers, or too large for a double. */
function exactly(text: string, digits: number): string | undefined {
  const dot = text.indexOf('.');
  const scale = digits + (dot === -1 ? 0 : text.length - dot - 1);
  const number = BigInt(text.replace('.', ''));
  const per = 10n ** BigInt(scale);
  const rest = ((number % per) + per) % per;
  return written(Number((number - rest) / per), scale === 0 ? '' : String(rest).padStart(scale, '0'));
}

/** As SQLite reads them: to the millisecond. */
function fromJulian(text: string): string | undefined {
  return sinceEpoch(String(Math.round((Number(text) - 2_440_587.5) * DAY * 1000)), 3);
}

/** Seconds since 1970 and the digits behind them. */
function written(seconds: number, digits: string): string | undefined {
  const number = Math.floor(seconds / DAY);
  if (!(number >= FIRST_DAY && number <= LAST_DAY)) return undefined;
  const rest = seconds - number * DAY;
  const minutes = Math.floor(rest / 60);
  const clock = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[rest - minutes * 60]}`;
  return `${dayOf(number)} ${clock}${digits === '' ? '' : fraction(`.${digits}`)}+00`;
}

/** A day since 1970 as `2024-03-01`; the days of a table are few. */
function dayOf(number: number): string {
  const known = days.get(number);
  if (known !== undefined) return known;
  if (days.size > 10_000) days.clear();
  const made = new Date(number * DAY * 1000).toISOString().slice(0, 10);
  days.set(number, made);
  return made;
}

/** A fraction of a second as PostgreSQL writes it: without the zeros at its end, and nothing where it is none. */
const fraction = (digits: string) => digits.replace(/\.?0{1,9}$/, '');

const MOMENT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/;

function fromText(text: string): string {
  const match = MOMENT.exec(text);
  if (match === null) return text;
  const [, day, clock, digits = '', zone = 'Z'] = match as unknown as [
    string,
    string,
    string,
    string?,
    string?,
  ];
  const time = clock.length === 5 ? `${clock}:00` : clock;
  if (zone === 'Z' || /^[+-]00(:?00)?$/.test(zone)) return `${day} ${time}${fraction(digits)}+00`;
  const offset =
    zone.length === 3 ? `${zone}:00` : zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const utc = Date.parse(`${day}T${time}${offset}`);
  if (Number.isNaN(utc)) return text;
  const iso = new Date(utc).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction(digits)}+00`;
}

/** The type of PostgreSQL for what a column is read as, where the declared type says it; the values may be others all the same. */
export function sqlTypeOf({ type, as }: { readonly type: string; readonly as: ReadAs }): string | undefined {
  if (as !== 'text') return as === 'boolean' ? as : 'timestamptz';
  // Column affinity REAL: https://www.sqlite.org/datatype3.html#determination_of_column_affinity
  return /real|floa|doub/i.test(type) && !/int|char|clob|text|blob/i.test(type)
    ? 'double precision'
    : undefined;
}

/** How the cells of a column are read, once it is known how its dates are stored. */
export type ReadAs = 'text' | 'boolean' | `date ${DateUnit}`;

/** What is made of a cell's text; undefined where that is the cell itself. */
export function readerOf(as: ReadAs): ((text: string | null) => string | null) | undefined {
  if (as === 'text') return undefined;
  return as === 'boolean' ? booleanOf : momentOf[as.slice('date '.length) as DateUnit];
}
