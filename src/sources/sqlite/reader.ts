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

/**
 * Where a row says of itself whether its texts hold a NUL (1) and U+FFFD (2): the library gives a text up to its first
 * NUL, and bytes that are no UTF-8 as U+FFFD, so that the database has to be asked. The name meets no column's.
 */
const FLAGS = 'sluice:flags';
const HAS_NUL = 1;
const HAS_REPLACEMENT = 2;

/** Reads a statement chunk by chunk; nothing is held but the chunk at hand. */
export class Reader {
  readonly #statement: Statement;
  readonly #rows: Iterator<Readonly<Record<string, SQLiteValue>>>;
  readonly #line: (cells: Readonly<Record<string, SQLiteValue>>) => string;
  readonly #texts: readonly string[];

  constructor(database: Database, { sql, columns }: ReadRequest) {
    this.#texts = columns
      .filter(({ type, as }) => as === 'text' && mayHoldText(type))
      .map((column) => column.name);
    this.#line = lineMaker(columns);
    this.#statement = database.prepare(`SELECT *, ${flags(this.#texts)} AS ${ident(FLAGS)} FROM (${sql}\n)`);
    this.#rows = this.#statement.iterate() as Iterator<Readonly<Record<string, SQLiteValue>>>;
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

  #wrong(cells: Readonly<Record<string, SQLiteValue>>): Omit<WrongRow, 'index'> | undefined {
    const flags = cells[FLAGS] as number;
    if ((flags & HAS_NUL) !== 0) return { reason: 'nul_in_text' };
    if ((flags & HAS_REPLACEMENT) !== 0) return undefined;
    for (const column of this.#texts) {
      const value = cells[column];
      if (typeof value === 'string' && value.includes('\ufffd')) return { reason: 'invalid_utf8', column };
    }
    return undefined;
  }
}

/** Whether a column of this declared type is likely to hold text: https://www.sqlite.org/datatype3.html */
const mayHoldText = (declared: string) => !/int|real|floa|doub/i.test(declared);

function flags(texts: readonly string[]): string {
  if (texts.length === 0) return '0';
  const all = `concat(${texts.map(ident).join(', ')})`;
  return `(instr(${all}, char(0)) > 0) * ${HAS_NUL} + (instr(${all}, char(65533)) > 0) * ${HAS_REPLACEMENT}`;
}

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
const escaped = (text: string) =>
  SPECIAL.test(text) ? text.replace(/[\\\t\n\r]/g, (special) => ESCAPES[special] as string) : text;

/**
 * A maker of COPY lines. Its code is generated: one expression a column, names only through JSON.stringify.
 */
function lineMaker(
  columns: ReadRequest['columns'],
): (cells: Readonly<Record<string, SQLiteValue>>) => string {
  const fields = columns.map(({ name, as }, i) => {
    const cell = `cells[${JSON.stringify(name)}]`;
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
