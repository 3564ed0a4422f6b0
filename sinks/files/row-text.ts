import { csvFieldBy } from '../../src/core/csv-text.js';
import { jsonString } from '../../src/core/json/write.js';
import type { Chunk, Row } from '../../src/core/row.js';
import type { Rejection } from '../../src/core/run.js';
import { toTextFor, Unfit } from '../load/encode/values.js';
import { type CsvForm, formFor, headerLine } from './csv-form.js';

/** Sets a row aside that has a value without a text. */
type Reject = (row: Row, why: Rejection) => void;

/** The text of one file of rows in the making. */
export interface RowText {
  /** What the file begins with, where no row has come: it is in the first `lines` else. */
  head(): string;
  /** The lines of some rows, and how many have one; the others go to `reject`. */
  lines(rows: Chunk, reject: Reject): { readonly text: string; readonly rows: number };
}

/** Whatever COPY reads as the value again: bytes as \x…, a Date in UTC, an ExactNumber as it was read. */
const scalar = toTextFor({ base: 'bytea', kind: 'scalar' });
const nested = toTextFor({ base: 'json', kind: 'scalar' });

/** A value as a field of CSV has it: text as it is, objects and arrays as JSON. */
function fieldText(value: unknown): string | null | Unfit {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  const text = scalar(value);
  return text instanceof Unfit && typeof value === 'object' && !(value instanceof Date)
    ? nested(value)
    : text;
}

/** A value as JSON has it; undefined is null. */
function jsonValue(value: unknown): string | Unfit {
  if (typeof value === 'string') return jsonString(value);
  if (value === null || value === undefined) return 'null';
  // JSON.stringify would make null of it without a word.
  if (value instanceof Date && Number.isNaN(value.getTime())) return scalar(value);
  if (!(value instanceof Uint8Array)) return nested(value);
  const bytes = scalar(value);
  return bytes instanceof Unfit ? bytes : jsonString(bytes);
}

/**
 * CSV of the columns that are `named`; of those of the first row where none are. A row that has a value under another name
 * is then set aside, since dropping the value would lose it.
 */
export function csvRows(form: CsvForm, named: readonly string[] | undefined): RowText {
  let columns = named;
  let field = csvFieldBy(form.delimiter, form.nullText);
  let begun = false;
  const begin = (names: readonly string[]) => {
    begun = true;
    columns = names;
    const settled = formFor(form, names.length);
    field = csvFieldBy(settled.delimiter, settled.nullText);
    return form.header ? headerLine(names, settled) : '';
  };
  return {
    head: () => (begun || named === undefined ? '' : begin(named)),
    lines(rows, reject) {
      let text = begun ? '' : begin(columns ?? Object.keys(rows[0] ?? {}));
      const names = columns ?? [];
      let count = 0;
      each: for (const row of rows) {
        const more = named === undefined ? otherColumn(row, names) : undefined;
        if (more !== undefined) {
          reject(row, unknown(more, names));
          continue;
        }
        let line = '';
        for (let at = 0; at < names.length; at++) {
          const column = names[at] as string;
          const value = fieldText(row[column]);
          if (value instanceof Unfit) {
            reject(row, unfit(column, row[column], value));
            continue each;
          }
          line += at === 0 ? field(value) : form.delimiter + field(value);
        }
        text += `${line}\n`;
        count += 1;
      }
      return { text, rows: count };
    },
  };
}

/** JSON Lines of the columns that are `named`; where none are, each row has its own. */
export function jsonRows(named: readonly string[] | undefined): RowText {
  let columns: readonly string[] = named ?? [];
  let keys = keysOf(columns);
  return {
    head: () => '',
    lines(rows, reject) {
      let text = '';
      let count = 0;
      each: for (const row of rows) {
        if (named === undefined && !hasColumns(row, columns)) {
          columns = Object.keys(row);
          keys = keysOf(columns);
        }
        let line = '{';
        for (let at = 0; at < columns.length; at++) {
          const column = columns[at] as string;
          const value = jsonValue(row[column]);
          if (value instanceof Unfit) {
            reject(row, unfit(column, row[column], value));
            continue each;
          }
          line += (keys[at] as string) + value;
        }
        text += `${line}}\n`;
        count += 1;
      }
      return { text, rows: count };
    },
  };
}

const keysOf = (columns: readonly string[]) =>
  columns.map((column, at) => `${at === 0 ? '' : ','}${JSON.stringify(column)}:`);

/** Whether these are the row's columns, in their order. */
function hasColumns(row: Row, columns: readonly string[]): boolean {
  let n = 0;
  for (const key in row) if (key !== columns[n++]) return false;
  return n === columns.length;
}

/** A column of the row that is none of `columns`, and has a value. */
function otherColumn(row: Row, columns: readonly string[]): string | undefined {
  if (hasColumns(row, columns)) return undefined;
  return Object.keys(row).find(
    (key) => row[key] !== null && row[key] !== undefined && !columns.includes(key),
  );
}

const unfit = (column: string, value: unknown, { reason }: Unfit): Rejection => ({
  reason,
  column,
  value: typeof value === 'function' || typeof value === 'symbol' ? String(value) : value,
  expected: 'a value that has a text',
});

const unknown = (column: string, columns: readonly string[]): Rejection => ({
  reason: 'unknown_column',
  column,
  message: `the first row has no column ${column}, and the file has the columns of the first row: ${columns.join(', ')}`,
});
