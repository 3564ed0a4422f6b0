import { isUtf8 } from 'node:buffer';
import type { Database, SQLiteValue, Statement } from 'node-sqlite3-wasm';
import { CHUNK_ROWS } from '../../core/row.js';
import { END, rowBytes } from './cells.js';
import type { ReadAs } from './values.js';

/** What is to be read: a statement without its semicolon, its columns in order, and how each is read. */
export interface ReadRequest {
  readonly sql: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly as: ReadAs }[];
}

/** Why a row is not what the file has; `column` where it is known. */
export interface WrongRow {
  /** Its index (0-based) among the rows that were read. */
  readonly index: number;
  readonly reason: 'nul_in_text' | 'invalid_utf8';
  readonly column?: string;
}

/** Rows as bytes: the cells of a row one after the other, see `cells.ts`. */
export interface ReadChunk {
  readonly buffer: Uint8Array;
  /** Rows read, and the place in the buffer where each of them ends. */
  readonly ends: readonly number[];
  readonly wrong: readonly WrongRow[];
  readonly done: boolean;
}

/** A row has some ten cells of some ten bytes. */
const FIRST_BYTES = 256 << 10;

/** Reads a statement chunk by chunk; nothing is held but the chunk at hand. */
export class Reader {
  readonly #statement: Statement;
  readonly #rows: Iterator<Readonly<Record<string, SQLiteValue>>>;
  readonly #columns: ReadRequest['columns'];
  #bytes = FIRST_BYTES;

  constructor(database: Database, { sql, columns }: ReadRequest) {
    this.#columns = columns;
    this.#statement = database.prepare(`SELECT ${rowBytes(columns)} AS b FROM (${sql}\n)`);
    this.#rows = this.#statement.iterate() as Iterator<Readonly<Record<string, SQLiteValue>>>;
  }

  /** The next rows; with `done` the last ones, perhaps none. */
  next(): ReadChunk {
    // Of its own for every chunk: it is given away.
    let buffer = new Uint8Array(this.#bytes);
    let length = 0;
    let done = false;
    const ends: number[] = [];
    while (ends.length < CHUNK_ROWS) {
      const next = this.#rows.next();
      if (next.done === true) {
        done = true;
        break;
      }
      const row = next.value.b as Uint8Array;
      if (length + row.length > buffer.length) {
        const larger = new Uint8Array(Math.max(2 * buffer.length, length + row.length));
        larger.set(buffer.subarray(0, length));
        buffer = larger;
        this.#bytes = Math.min(larger.length, FIRST_BYTES * 16);
      }
      buffer.set(row, length);
      length += row.length;
      ends.push(length);
    }
    if (done) this.end();
    const filled = buffer.subarray(0, length);
    return { buffer: filled, ends, wrong: this.#wrong(filled, ends), done };
  }

  /** Ends the statement; may be called again. */
  end(): void {
    if (!this.#statement.isFinalized) this.#statement.finalize();
  }

  /** Texts that hold a NUL, which ends a cell here, or bytes that are no UTF-8: looked for in all rows at once. */
  #wrong(bytes: Uint8Array, ends: readonly number[]): WrongRow[] {
    const cells = this.#columns.length;
    if (isUtf8(bytes) && count(bytes) === cells * ends.length) return [];
    const wrong: WrongRow[] = [];
    for (const [index, end] of ends.entries()) {
      const row = bytes.subarray(ends[index - 1] ?? 0, end);
      if (count(row) !== cells) wrong.push({ index, reason: 'nul_in_text' });
      else if (!isUtf8(row)) wrong.push({ index, reason: 'invalid_utf8', ...this.#columnOf(row) });
    }
    return wrong;
  }

  #columnOf(row: Uint8Array): Pick<WrongRow, 'column'> {
    let from = 0;
    for (const { name } of this.#columns) {
      const to = row.indexOf(END, from);
      if (!isUtf8(row.subarray(from, to))) return { column: name };
      from = to + 1;
    }
    return {};
  }
}

function count(bytes: Uint8Array): number {
  let ends = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === END) ends++;
  return ends;
}
