import { doubleOf } from '../../core/json/decimal.js';
import { isExactNumber } from '../../core/json/exact-number.js';
import { type Chunk, originOf, type Row } from '../../core/row.js';
import type { Rejection } from '../../core/run.js';
import type { Masking } from '../given/masking.js';
import type { RecordBuffer } from './buffer.js';
import type { TrackedKind } from './kinds.js';
import type { RecordLine } from './line.js';

/**
 * Chunks of an input whose rows may wait for their fate before they are written without one. Stages that pass rows
 * on as they come need a few; of those that hold rows back (a sort) the fates come later, by themselves.
 */
const MOST_WAITING = 24;

const OPEN = 0;
const STAGED = 1;
const ERROR = 2;
const SKIPPED = 3;

/** A chunk as its input gave it, with what became of each row so far. */
interface Waiting {
  readonly rows: Chunk;
  /** The number of its first record. */
  readonly number: number;
  readonly fates: Uint8Array;
  /** The row as it was staged, or as the stage that rejected it saw it. */
  readonly made: (Row | undefined)[];
  readonly said: ({ readonly message: string; readonly field: string } | undefined)[];
  open: number;
}

/**
 * Follows the rows of one flow from the input to their table, and writes a record of each as soon as it is known
 * what became of it. A row is known by its origin, whatever stages have made of it. Nothing is awaited and little is
 * done per row.
 */
export class RecordTracker {
  readonly #waiting: Waiting[] = [];
  /** Rows that were written without a fate. */
  #untold = 0;
  /** Where the last row was found: the next one is mostly after it. No object is made for each. */
  #chunk: Waiting | undefined;
  #at = 0;

  constructor(
    readonly kind: TrackedKind,
    private readonly book: RecordBuffer,
    private readonly keep: 'all' | 'errors',
  ) {}

  private get masking(): Masking {
    return this.book.masking;
  }

  /** Rows that the input has just given. */
  read(rows: Chunk): void {
    if (this.keep === 'errors') return;
    const { length } = rows;
    this.#waiting.push({
      rows,
      number: this.book.take(length),
      fates: new Uint8Array(length),
      made: new Array(length),
      said: [],
      open: length,
    });
    if (this.#waiting.length > MOST_WAITING) {
      const oldest = this.#waiting.shift() as Waiting;
      this.#chunk = undefined;
      this.#untold += oldest.open;
      this.#write(oldest);
    }
  }

  /** Rows that the records' table has taken; those that it rejected meanwhile are told apart. */
  staged(rows: Chunk): void {
    if (this.keep === 'errors') return;
    for (const row of rows) {
      const origin = originOf(row);
      if (origin === undefined) continue;
      const chunk = this.#find(origin);
      if (chunk === undefined) this.#late(origin, STAGED, row, '', '');
      else if (chunk.fates[this.#at] === OPEN) this.#settle(chunk, this.#at, STAGED, row);
    }
  }

  /** The input's row that came from `origin`, if it waits here. */
  source(origin: number): Row | undefined {
    return this.#find(origin)?.rows[this.#at];
  }

  /** The rejection of one of the records, with the type and the id that it has where no stage has told another. */
  named(record: Row | undefined, why: Rejection): Rejection {
    const id = this.#idOf(record);
    return {
      recordType: this.kind.type,
      ...(id === undefined || id === '' ? {} : { sourceId: id }),
      ...why,
    };
  }

  /**
   * A row that was rejected, with the sentence and the column as they may be kept. `record`: the input's row, where
   * it is known; `id`: its id in the old system, where a stage has told.
   */
  rejected(reject: {
    readonly row: Row | undefined;
    readonly record: Row | undefined;
    readonly line: number | undefined;
    readonly message: string;
    readonly field: string;
    readonly type: string | undefined;
    readonly id: string | undefined;
  }): void {
    const { row, line, message, field } = reject;
    if (this.keep === 'errors' || row === undefined || line === undefined) {
      this.book.write([this.#lineOf(this.book.take(1), ERROR, reject.record, row, line, reject)]);
      return;
    }
    const chunk = this.#find(line);
    const at = this.#at;
    if (chunk === undefined) {
      this.#late(line, ERROR, row, message, field);
      return;
    }
    if (chunk.fates[at] === ERROR) return;
    chunk.said[at] = { message, field };
    this.#settle(chunk, at, ERROR, row === chunk.rows[at] ? undefined : row);
  }

  /** Rows that were left out, or went into another, for `reason`. */
  left(rows: readonly Row[], reason: string): void {
    if (this.keep === 'errors') return;
    const message = reason.replaceAll('_', ' ');
    for (const row of rows) {
      const origin = originOf(row);
      if (origin === undefined) continue;
      const chunk = this.#find(origin);
      const at = this.#at;
      if (chunk === undefined) this.#late(origin, SKIPPED, undefined, message, '');
      else if (chunk.fates[at] === OPEN) {
        chunk.said[at] = { message, field: '' };
        this.#settle(chunk, at, SKIPPED, undefined);
      }
    }
  }

  /**
   * The flow has ended: rows that nobody told anything about went nowhere, for `reason`. Gives whether there may be
   * such rows among those that were written before.
   */
  finish(reason: string): boolean {
    for (const chunk of this.#waiting.splice(0)) {
      for (let at = 0; at < chunk.rows.length; at++) {
        if (chunk.fates[at] !== OPEN) continue;
        chunk.fates[at] = SKIPPED;
        chunk.said[at] = { message: reason, field: '' };
      }
      this.#write(chunk);
    }
    return this.#untold > 0;
  }

  /** The flow broke off: what waits is written as it is. */
  giveUp(): void {
    for (const chunk of this.#waiting.splice(0)) this.#write(chunk);
  }

  #settle(chunk: Waiting, at: number, fate: number, made: Row | undefined): void {
    if (chunk.fates[at] === OPEN) chunk.open -= 1;
    chunk.fates[at] = fate;
    chunk.made[at] = made;
    if (chunk.open > 0) return;
    const place = this.#waiting.indexOf(chunk);
    if (place < 0) return;
    this.#waiting.splice(place, 1);
    this.#chunk = undefined;
    this.#write(chunk);
  }

  #write(chunk: Waiting): void {
    const { rows, fates, made, said, number } = chunk;
    const lines: RecordLine[] = [];
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at] as Row;
      const fate = fates[at] as number;
      const line = originOf(row);
      lines.push(this.#lineOf(number + at, fate, row, made[at], line, said[at] ?? NOTHING));
      if (fate === STAGED && line !== undefined) this.#noteKey(line, made[at] as Row);
    }
    this.book.write(lines);
  }

  #lineOf(
    number: number,
    fate: number,
    source: Row | undefined,
    made: Row | undefined,
    line: number | undefined,
    told: {
      readonly message: string;
      readonly field: string;
      readonly type?: string | undefined;
      readonly id?: string | undefined;
    },
  ): RecordLine {
    const { kind } = this;
    return {
      number,
      type: told.type ?? kind.type,
      sourceId: told.id ?? this.#idOf(source) ?? (line === undefined ? '' : String(line)),
      status: fate === ERROR ? 'error' : fate === SKIPPED ? 'skipped' : 'pending',
      model: fate === STAGED ? kind.model : '',
      targetId: fate === STAGED && kind.idLoaded ? wholeNumber(made?.[kind.targetId as string]) : undefined,
      source,
      transformed: made,
      message: told.message,
      field: told.field,
      input: kind.input,
      line,
    };
  }

  #idOf(row: Row | undefined): string | undefined {
    const { sourceId } = this.kind;
    if (row === undefined || sourceId.length === 0) return undefined;
    if (sourceId.some((column) => this.masking.hides(column))) return '';
    const id =
      sourceId.length === 1
        ? text(row[sourceId[0] as string])
        : sourceId.map((column) => text(row[column])).join('/');
    return this.kind.trimmed ? id.trim() : id;
  }

  #late(line: number, fate: number, made: Row | undefined, message: string, field: string): void {
    this.book.late({
      input: this.kind.input,
      line,
      status: fate === ERROR ? 'error' : fate === SKIPPED ? 'skipped' : 'pending',
      model: fate === STAGED ? this.kind.model : '',
      transformed: made,
      message,
      field,
    });
    if (fate === STAGED) this.#noteKey(line, made as Row);
  }

  #noteKey(line: number, made: Row): void {
    const { hiddenKey } = this.kind;
    if (hiddenKey.length > 0)
      this.book.key(
        this.kind.input,
        line,
        hiddenKey.map((column) => made[column] ?? null),
      );
  }

  /** The waiting chunk with the row that came from `origin`; `#at` is its place there then. */
  #find(origin: number): Waiting | undefined {
    const known = this.#chunk;
    if (known !== undefined && originAt(known, this.#at + 1) === origin) {
      this.#at += 1;
      return known;
    }
    for (const each of this.#waiting) {
      const place = placeIn(each, origin);
      if (place === undefined) continue;
      this.#chunk = each;
      this.#at = place;
      return each;
    }
    return undefined;
  }
}

const NOTHING = { message: '', field: '' };

function originAt({ rows }: Waiting, at: number): number | undefined {
  const row = rows[at];
  return row === undefined ? undefined : originOf(row);
}

/** Origins grow within a chunk. */
function placeIn(chunk: Waiting, origin: number): number | undefined {
  let low = 0;
  let high = chunk.rows.length - 1;
  const first = originAt(chunk, 0);
  const last = originAt(chunk, high);
  if (first === undefined || last === undefined || origin < first || origin > last) return undefined;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = originAt(chunk, middle) ?? Number.POSITIVE_INFINITY;
    if (found === origin) return middle;
    if (found < origin) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

/** As text that surely is a bigint; undefined of anything else, which the server may still read as one. */
function wholeNumber(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  if (typeof value === 'bigint') return wholeNumber(String(value));
  if (isExactNumber(value)) return wholeNumber(doubleOf(value.literal));
  return typeof value === 'string' && value.length <= 18 && /^\d+$/.test(value) ? value : undefined;
}

function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}
