import { isUtf8 } from 'node:buffer';
import type { Database, SQLiteValue, Statement } from 'node-sqlite3-wasm';
import { CHUNK_ROWS } from '../../core/row.js';
import { cellsOf, END, rowBytes, rowHex } from './cells.js';
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
  /** Its cells as `cells.ts` has them, without their ends; left out where they cannot be told apart. */
  readonly cells?: readonly Uint8Array[];
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
  readonly #rows: RowBytes;
  readonly #columns: ReadRequest['columns'];
  readonly #escaped: () => RowBytes;
  #again: RowBytes | undefined;
  #bytes = FIRST_BYTES;
  /** Rows of earlier chunks. */
  #before = 0;

  constructor(database: Database, { sql, columns }: ReadRequest) {
    this.#columns = columns;
    this.#rows = new RowBytes(database, `SELECT ${rowBytes(columns)} AS b FROM (${sql}\n)`);
    this.#escaped = () => new RowBytes(database, `SELECT ${rowHex(columns)} AS b FROM (${sql}\n)`);
  }

  /** The next rows; with `done` the last ones, perhaps none. */
  next(): ReadChunk {
    // Of its own for every chunk: it is given away.
    let buffer = new Uint8Array(this.#bytes);
    let length = 0;
    let done = false;
    const ends: number[] = [];
    while (ends.length < CHUNK_ROWS) {
      const row = this.#rows.next();
      if (row === undefined) {
        done = true;
        break;
      }
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
    const filled = buffer.subarray(0, length);
    const wrong = this.#wrong(filled, ends);
    this.#before += ends.length;
    if (done) this.end();
    return { buffer: filled, ends, wrong, done };
  }

  /** Ends the statement; may be called again. */
  end(): void {
    this.#rows.end();
    this.#again?.end();
  }

  /** Texts that hold a NUL, which ends a cell here, or bytes that are no UTF-8: looked for in all rows at once. */
  #wrong(bytes: Uint8Array, ends: readonly number[]): WrongRow[] {
    const cells = this.#columns.length;
    if (isUtf8(bytes) && count(bytes) === cells * ends.length) return [];
    const wrong: WrongRow[] = [];
    for (const [index, end] of ends.entries()) {
      const row = bytes.subarray(ends[index - 1] ?? 0, end);
      if (count(row) !== cells) wrong.push({ index, reason: 'nul_in_text', ...this.#apart(row, index) });
      else if (!isUtf8(row)) wrong.push({ index, reason: 'invalid_utf8', ...this.#split(row) });
    }
    return wrong;
  }

  /** The cells of a row whose texts hold no NUL, and the first that is no UTF-8. */
  #split(row: Uint8Array): Pick<WrongRow, 'column' | 'cells'> {
    let from = 0;
    const cells = this.#columns.map(() => {
      const to = row.indexOf(END, from);
      const cell = row.slice(from, to);
      from = to + 1;
      return cell;
    });
    const at = cells.findIndex((cell) => !isUtf8(cell));
    const name = this.#columns[at]?.name;
    return { cells, ...(name === undefined ? {} : { column: name }) };
  }

  /** Cells that hold NULs end somewhere else than they seem to: the statement is read once more, up to the row. */
  #apart(row: Uint8Array, index: number): Pick<WrongRow, 'column' | 'cells'> {
    this.#again ??= this.#escaped();
    const cells = cellsOf(this.#again.at(this.#before + index) ?? new Uint8Array());
    // Another row: the statement does not give its rows in one order.
    if (!Buffer.concat(cells.flatMap((cell) => [cell, Buffer.of(END)])).equals(row)) return {};
    const name = this.#columns[cells.findIndex((cell) => cell.includes(END))]?.name;
    return { cells, ...(name === undefined ? {} : { column: name }) };
  }
}

/** A statement whose rows are bytes. */
class RowBytes {
  readonly #statement: Statement;
  readonly #rows: Iterator<Readonly<Record<string, SQLiteValue>>>;
  #given = 0;

  constructor(database: Database, sql: string) {
    this.#statement = database.prepare(sql);
    this.#rows = this.#statement.iterate() as Iterator<Readonly<Record<string, SQLiteValue>>>;
  }

  next(): Uint8Array | undefined {
    const next = this.#rows.next();
    this.#given += 1;
    return next.done === true ? undefined : (next.value.b as Uint8Array);
  }

  /** The row at `place` (0-based), after those that were given. */
  at(place: number): Uint8Array | undefined {
    while (this.#given < place) if (this.next() === undefined) return undefined;
    return this.next();
  }

  /** May be called again. */
  end(): void {
    if (!this.#statement.isFinalized) this.#statement.finalize();
  }
}

function count(bytes: Uint8Array): number {
  let ends = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === END) ends++;
  return ends;
}
