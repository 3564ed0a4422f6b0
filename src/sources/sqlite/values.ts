import { ORIGIN, type Row } from '../../core/row.js';
import type { Cell, SqliteColumn } from './database.js';

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
export function booleanOf(cell: Cell): string | null {
  return cell === 1 ? 't' : cell === 0 ? 'f' : textOf(cell);
}

/**
 * A moment as PostgreSQL writes a timestamptz in UTC: Prisma stores milliseconds since 1970, ISO 8601 text, or
 * (SQLite's CURRENT_TIMESTAMP) `2024-03-01 09:00:00` in UTC. Text that is none of these stays as it is.
 */
export function datetimeOf(cell: Cell): string | null {
  if (typeof cell === 'number' && Number.isInteger(cell)) return fromMilliseconds(cell) ?? String(cell);
  return typeof cell === 'string' ? fromText(cell) : textOf(cell);
}

/** The years that both `Date` and four digits hold; further out a number stays the number it was. */
const FIRST = Date.UTC(1, 0, 1) - 1900 * 365.25 * 86_400_000;
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function fromMilliseconds(ms: number): string | undefined {
  if (ms < FIRST || ms > LAST) return undefined;
  const iso = new Date(ms).toISOString();
  if (iso.length !== 24 || iso.startsWith('0000')) return undefined;
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction(iso.slice(20, 23))}+00`;
}

const fraction = (digits: string) => {
  const needed = digits.replace(/0+$/, '');
  return needed === '' ? '' : `.${needed}`;
};

const MOMENT =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/;

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

const READERS = { text: textOf, boolean: booleanOf, datetime: datetimeOf } as const;

/** A column whose cells are read in one way. */
export interface ReadColumn extends SqliteColumn {
  readonly as: SqliteType;
}

/**
 * A maker of rows out of what the library gives. Its code is generated, so that all rows have one shape; names enter
 * the code only through JSON.stringify.
 */
export function rowMaker(
  columns: readonly ReadColumn[],
): (cells: Readonly<Record<string, Cell>>, ordinal: number) => Row {
  const values = columns.map(({ name, as }, i) => {
    const cell = `cells[${JSON.stringify(name)}]`;
    return as === 'text'
      ? `const c${i} = ${cell}; const v${i} = typeof c${i} === 'string' ? c${i} : text(c${i});`
      : `const v${i} = ${as}(${cell});`;
  });
  // An assignment to __proto__ would set the prototype.
  const assignments = columns.map(({ name }, i) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: v${i}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = v${i};`,
  );
  const parameters = columns.map((_, i) => `v${i}`).join(', ');
  const source = `'use strict';
function Row(${parameters}, origin) { ${assignments.join(' ')} this[ORIGIN] = origin; }
Row.prototype = Object.prototype;
return function make(cells, ordinal) {
  ${values.join('\n  ')}
  return new Row(${parameters}, ordinal);
};`;
  return new Function('ORIGIN', ...Object.keys(READERS), source)(ORIGIN, ...Object.values(READERS));
}
