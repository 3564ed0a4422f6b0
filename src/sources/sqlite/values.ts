import type { SQLiteValue as Cell } from 'node-sqlite3-wasm';

/** How the cells of a column are read; `text` is what there is, as text. */
export type SqliteType = 'text' | 'boolean' | 'datetime';

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
export function booleanOf(text: string | null): string | null {
  return text === '1' ? 't' : text === '0' ? 'f' : text;
}

const INTEGER = /^-?\d{1,17}$/;

/**
 * A moment as PostgreSQL writes a timestamptz in UTC: Prisma stores milliseconds since 1970, ISO 8601 text, or
 * (SQLite's CURRENT_TIMESTAMP) `2024-03-01 09:00:00` in UTC. Text that is none of these stays as it is.
 */
export function datetimeOf(text: string | null): string | null {
  if (text === null) return null;
  return INTEGER.test(text) ? (fromMilliseconds(Number(text)) ?? text) : fromText(text);
}

const DAY_MS = 86_400_000;
/** Years 1 to 9999, which have four digits; further out a number stays the number it was. */
const FIRST_DAY = Date.parse('0001-01-01T00:00:00Z') / DAY_MS;
const LAST_DAY = Date.parse('9999-12-31T00:00:00Z') / DAY_MS;
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'));
const days = new Map<number, string>();

function fromMilliseconds(ms: number): string | undefined {
  const number = Math.floor(ms / DAY_MS);
  if (number < FIRST_DAY || number > LAST_DAY) return undefined;
  const rest = ms - number * DAY_MS;
  const seconds = Math.floor(rest / 1000);
  const millis = rest - seconds * 1000;
  const minutes = Math.floor(seconds / 60);
  const clock = `${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}`;
  const end = millis === 0 ? '+00' : `${fraction(`.${String(millis).padStart(3, '0')}`)}+00`;
  return `${dayOf(number)} ${clock}${end}`;
}

/** A day since 1970 as `2024-03-01`; the days of a table are few. */
function dayOf(number: number): string {
  const known = days.get(number);
  if (known !== undefined) return known;
  if (days.size > 10_000) days.clear();
  const made = new Date(number * DAY_MS).toISOString().slice(0, 10);
  days.set(number, made);
  return made;
}

/** A fraction of a second as PostgreSQL writes it: without the zeros at its end, and nothing where it is none. */
const fraction = (digits: string) => digits.replace(/\.?0+$/, '');

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

/** What is made of a cell's text, by how its column is read; `text` is the cell itself. */
export const VALUES = { boolean: booleanOf, datetime: datetimeOf } as const;
