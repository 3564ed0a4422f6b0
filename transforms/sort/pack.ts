import v8 from 'node:v8';
import { stageErrors } from '../../src/core/errors/catalogue/stages.js';
import { toClone } from '../../src/core/json/clone.js';
import { isExactNumber, numberOf } from '../../src/core/json/exact-number.js';
import { hasExact } from '../../src/core/json/write.js';
import { originOf, type Row } from '../../src/core/row.js';
import type { KeyBytes } from './key-bytes.js';
import { type Block, FORM, HEADER, TAG } from './packed-row.js';

/** The columns of rows that were packed alike, in order. */
export interface Shape {
  readonly columns: readonly string[];
  /** Puts the values of a row of these columns into `values`; false for a row of others. */
  readonly read: (row: Row, values: unknown[]) => boolean;
  /** All text among `values`, one after the other. */
  readonly text: (values: readonly unknown[]) => string;
}

/** A string that Latin-1 cannot hold. Asked of one that the engine keeps in bytes, it answers without a look. */
const WIDE = /[^\0-\xff]/;

/** More shapes than this are no shapes: such rows are serialized. */
const MOST_SHAPES = 256;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/**
 * Writes rows as records. Text, NULL, numbers of any size, booleans and undefined are written as they are; a row with
 * any other value by structured cloning, which keeps Date, Buffer and plain objects.
 */
export class Packer {
  /** By the number that records have. */
  readonly shapes: Shape[] = [];
  readonly #values: unknown[] = [];
  #last = 0;

  /**
   * Writes `row` with its key as a record at `at`, and returns its bytes, or, where there is no room, how
   * many it needs as a negative number. Throws `unspillable_row` for a function.
   */
  pack(row: Row, key: KeyBytes, block: Block, at: number): number {
    const shape = this.#shapeOf(row);
    const text = shape < 0 ? -1 : measure(this.#values, (this.shapes[shape] as Shape).columns.length);
    return text < 0 ? serialized(row, key, block, at) : this.#plain(row, key, shape, text, block, at);
  }

  #plain(row: Row, key: KeyBytes, shape: number, text: number, block: Block, at: number): number {
    const values = this.#values;
    const columns = (this.shapes[shape] as Shape).columns.length;
    // At most 9 bytes a tag, 2 a character, and 7 to the next multiple of 8.
    const most = HEADER + key.length + columns * 9 + text * 2 + 7;
    if (at + most > block.size) return -most;
    const { bytes } = block;
    let to = at + HEADER;
    for (let i = 0; i < key.length; i++) bytes[to + i] = key.bytes[i] as number;
    to = writeTags(values, columns, bytes, to + key.length);
    const start = to;
    // One string and one native copy take half the time of a loop over the characters.
    const joined = (this.shapes[shape] as Shape).text(values);
    const wide = WIDE.test(joined);
    to += wide ? block.buffer.write(joined, to, 'utf16le') : block.buffer.write(joined, to, 'latin1');
    return header(row, key, block, at, to, start, shape * 4 + (wide ? FORM.utf16 : FORM.latin1));
  }

  #shapeOf(row: Row): number {
    const { shapes } = this;
    if (shapes.length > 0 && (shapes[this.#last] as Shape).read(row, this.#values)) return this.#last;
    for (let i = 0; i < shapes.length; i++) {
      if (!(shapes[i] as Shape).read(row, this.#values)) continue;
      this.#last = i;
      return i;
    }
    if (shapes.length === MOST_SHAPES) return -1;
    shapes.push(compileShape(Object.keys(row)));
    this.#last = shapes.length - 1;
    (shapes[this.#last] as Shape).read(row, this.#values);
    return this.#last;
  }
}

/** Code units of all text, or -1 where a value has no tag. */
function measure(values: readonly unknown[], columns: number): number {
  let text = 0;
  for (let c = 0; c < columns; c++) {
    const value = values[c];
    if (typeof value === 'string') text += value.length;
    else if (
      value !== null &&
      typeof value !== 'number' &&
      typeof value !== 'boolean' &&
      value !== undefined
    ) {
      const numeral = numeralOf(value);
      if (numeral === undefined) return -1;
      text += numeral.length;
    }
  }
  return text;
}

/** The text of an ExactNumber or a bigint, where `numberOf` makes the value of it again; undefined of anything else. */
function numeralOf(value: unknown): string | undefined {
  if (isExactNumber(value)) return value.literal;
  if (typeof value !== 'bigint') return undefined;
  const text = String(value);
  return typeof numberOf(text) === 'bigint' ? text : undefined;
}

/** Numbers that are written as text are text among `values` afterwards. */
function writeTags(values: unknown[], columns: number, bytes: Uint8Array, from: number): number {
  let to = from;
  for (let c = 0; c < columns; c++) {
    const value = values[c];
    if (typeof value === 'string') {
      const { length } = value;
      if (length < TAG.long) {
        bytes[to++] = length;
        continue;
      }
      bytes[to++] = TAG.long;
      for (let shift = 0; shift < 32; shift += 8) bytes[to++] = length >>> shift;
    } else if (value === null) bytes[to++] = TAG.null;
    else if (typeof value === 'object' || typeof value === 'bigint') {
      const text = numeralOf(value) as string;
      const { length } = text;
      values[c] = text;
      bytes[to++] = TAG.exact;
      for (let shift = 0; shift < 32; shift += 8) bytes[to++] = length >>> shift;
    } else if (typeof value === 'number') {
      bytes[to++] = TAG.number;
      float[0] = value;
      for (let i = 0; i < 8; i++) bytes[to++] = floatBytes[i] as number;
    } else bytes[to++] = value === undefined ? TAG.undefined : value === true ? TAG.true : TAG.false;
  }
  return to;
}

function serialized(row: Row, key: KeyBytes, block: Block, at: number): number {
  const exact = hasExact(row);
  const made = serialize(row, exact);
  const most = HEADER + key.length + made.length + 7;
  if (at + most > block.size) return -most;
  const start = at + HEADER + key.length;
  block.bytes.set(key.bytes.subarray(0, key.length), at + HEADER);
  block.bytes.set(made, start);
  return header(row, key, block, at, start + made.length, start, exact ? FORM.cloned : FORM.serialized);
}

/**
 * A row by structured cloning; `exact`: with exact numbers among the values, which that does not know. Throws failed
 * `unspillable_row` where a value cannot be kept so.
 */
function serialize(row: Row, exact: boolean): Buffer {
  try {
    return v8.serialize(exact ? toClone(row) : row);
  } catch (cause) {
    throw stageErrors.unspillable_row({ why: (cause as Error).message }, { cause });
  }
}

function header(
  row: Row,
  key: KeyBytes,
  block: Block,
  at: number,
  end: number,
  text: number,
  kind: number,
): number {
  const { words } = block;
  const word = at >>> 2;
  const size = (end - at + 7) & ~7;
  words[word] = size;
  words[word + 1] = key.length;
  words[word + 2] = kind;
  words[word + 3] = end - text;
  const origin = originOf(row);
  block.floats[(at >>> 3) + 2] = origin === undefined ? Number.NaN : origin;
  return size;
}

/**
 * Reading a column by a name that the code knows is what makes packing quick. Names are untrusted: they
 * enter the code only through JSON.stringify.
 */
function compileShape(columns: readonly string[]): Shape {
  const source = `'use strict'; return function read(row, values) {
  let n = 0;
  for (const key in row) if (key !== columns[n++]) return false;
  if (n !== ${columns.length}) return false;
  ${columns.map((name, i) => `values[${i}] = row[${JSON.stringify(name)}];`).join('\n  ')}
  return true;
};`;
  const text = columns.map((_, i) => `(typeof values[${i}] === 'string' ? values[${i}] : '')`);
  return {
    columns,
    read: new Function('columns', source)(columns) as Shape['read'],
    text: new Function('values', `'use strict'; return ${text.join(' + ') || "''"};`) as Shape['text'],
  };
}
