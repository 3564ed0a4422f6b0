import { isAscii, isUtf8 } from 'node:buffer';
import type { Database, SQLiteValue, Statement } from 'node-sqlite3-wasm';
import { CHUNK_ROWS } from '../../core/row.js';
import { ident } from '../../db/quote.js';
import { CELL_READERS, type SqliteType } from './values.js';

/** What is to be read: a statement without its semicolon, its columns in order, and how each is read. */
export interface ReadRequest {
  readonly sql: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly as: SqliteType }[];
}

/** Why a row is not what the file has; `column` where it is known. */
export interface WrongRow {
  /** Its index (0-based) in the chunk. */
  readonly index: number;
  readonly reason: 'nul_in_text' | 'invalid_utf8';
  readonly column?: string;
}

/** Rows as COPY's text format, UTF-8. */
export interface ReadChunk {
  readonly buffer: Uint8Array;
  readonly rows: number;
  readonly wrong: readonly WrongRow[];
  readonly done: boolean;
}

type Cells = Readonly<Record<string, SQLiteValue>>;

/** Reads a statement chunk by chunk; nothing is held but the chunk at hand. */
export class Reader {
  readonly #statement: Statement;
  readonly #rows: Iterator<Cells>;
  readonly #line: (cells: Cells) => string;
  readonly #texts: readonly { readonly key: string; readonly name: string }[];

  constructor(database: Database, { sql, columns }: ReadRequest) {
    const keyed = columns.map((column, i) => ({ ...column, key: `c${i}` }));
    this.#texts = keyed.filter(({ type, as }) => as === 'text' && mayHoldText(type));
    this.#line = lineMaker(keyed);
    // Keys of our own: the library makes an object of every row, which a column named __proto__ would spoil.
    const cells = keyed.map(({ name, key }) => `${ident(name)} AS ${key}`);
    const raw = this.#texts.length === 0 ? [] : [`${bytesOf(this.#texts)} AS bytes`];
    this.#statement = database.prepare(`SELECT ${[...cells, ...raw].join(', ')} FROM (${sql}\n)`);
    this.#rows = this.#statement.iterate() as Iterator<Cells>;
  }

  /** The next rows; with `done` the last ones, perhaps none. */
  next(): ReadChunk {
    let text = '';
    let rows = 0;
    let done = false;
    const wrong: WrongRow[] = [];
    while (rows < CHUNK_ROWS) {
      const next = this.#rows.next();
      if (next.done === true) {
        done = true;
        break;
      }
      const cells = next.value;
      text += this.#line(cells);
      const why = this.#wrong(cells);
      if (why !== undefined) wrong.push({ index: rows, ...why });
      rows += 1;
    }
    if (done) this.end();
    // A buffer of its own, which can be given away: the pool's belongs to everybody.
    const buffer = new TextEncoder().encode(text);
    return { buffer, rows, wrong, done };
  }

  /** Ends the statement; may be called again. */
  end(): void {
    if (!this.#statement.isFinalized) this.#statement.finalize();
  }

  /**
   * The library gives a text up to its first NUL, and makes other characters of bytes that are no UTF-8. So the bytes of
   * a row's texts come with it; texts of ASCII are told at once by having as many characters.
   */
  #wrong(cells: Cells): Omit<WrongRow, 'index'> | undefined {
    const bytes = cells.bytes;
    if (!(bytes instanceof Uint8Array)) return undefined;
    let length = this.#texts.length - 1;
    for (const { key } of this.#texts) {
      const value = cells[key];
      if (value !== null) length += typeof value === 'string' ? value.length : String(value).length;
    }
    if (length === bytes.length && isAscii(bytes)) return undefined;
    return this.#suspect(cells, bytes);
  }

  #suspect(cells: Cells, bytes: Uint8Array): Omit<WrongRow, 'index'> | undefined {
    const fields = split(bytes);
    if (fields.length !== this.#texts.length) return { reason: 'nul_in_text' };
    for (const [at, { key, name }] of this.#texts.entries()) {
      const field = fields[at] as Uint8Array;
      // A blob has no characters that could be wrong.
      if (typeof cells[key] === 'string' && !isUtf8(field)) return { reason: 'invalid_utf8', column: name };
    }
    return undefined;
  }
}

/** Whether a column of this declared type is likely to hold text: https://www.sqlite.org/datatype3.html */
const mayHoldText = (declared: string) => !/int|real|floa|doub/i.test(declared);

/** The bytes of some columns with a NUL between any two; nothing for NULL, and for a blob. */
function bytesOf(columns: readonly { readonly name: string }[]): string {
  const texts = columns.map(
    ({ name }) => `CASE typeof(${ident(name)}) WHEN 'blob' THEN '' ELSE ${ident(name)} END`,
  );
  return `CAST(concat(${texts.join(', char(0), ')}) AS BLOB)`;
}

/** The pieces between NULs. */
function split(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0; ; ) {
    const to = bytes.indexOf(0, from);
    pieces.push(bytes.subarray(from, to < 0 ? bytes.length : to));
    if (to < 0) return pieces;
    from = to + 1;
  }
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escaped = (text: string) =>
  SPECIAL.test(text) ? text.replace(/[\\\t\n\r]/g, (special) => ESCAPES[special] as string) : text;

/**
 * A maker of COPY lines. Its code is generated: one expression a column, none of the names in it.
 */
function lineMaker(
  columns: readonly { readonly key: string; readonly as: SqliteType }[],
): (cells: Cells) => string {
  const fields = columns.map(({ key, as }, i) => {
    const cell = `cells.${key}`;
    const other = as === 'text' ? `text(c)` : `${as}(c)`;
    return `c = ${cell};
  const f${i} = c === null ? '\\\\N' : typeof c === 'number' && ${as === 'text'} ? '' + c : escaped(${other});`;
  });
  const line = columns.map((_, i) => `f${i}`).join(" + '\\t' + ");
  const source = `'use strict';
return function line(cells) {
  let c;
  ${fields.join('\n  ')}
  return ${line} + '\\n';
};`;
  return new Function('escaped', ...Object.keys(CELL_READERS), source)(
    escaped,
    ...Object.values(CELL_READERS),
  );
}
