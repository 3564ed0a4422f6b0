import v8 from 'node:v8';
import { fromClone } from '../../src/core/json/clone.js';
import { numberOf } from '../../src/core/json/exact-number.js';
import { CHUNK_ROWS, markOrigin, ORIGIN, type Row } from '../../src/core/row.js';
import type { Shape } from './pack.js';
import { type Block, FORM, HEADER, TAG } from './packed-row.js';

type Decode = (
  text: string,
  tags: Uint32Array,
  numbers: readonly number[],
  origins: Float64Array,
  rows: number,
  out: Row[],
) => void;

/** Tags as the decoder sees them: a length, or one of these. */
const SPECIAL = 0xfffffff0;

/** Text of rows that are long; a chunk of them is smaller. */
const FULL_BYTES = 4 << 20;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);

/**
 * Turns records back into rows, a chunk at a time: the text of many records becomes one string, of which
 * the values are slices.
 */
export class Unpacker {
  readonly #shapes: readonly Shape[];
  readonly #decoders: Decode[] = [];
  #out: Row[] = [];
  // Records of one kind (shape and form) that wait to be decoded together.
  #kind = -1;
  #waiting = 0;
  #text = Buffer.allocUnsafeSlow(256 << 10);
  #used = 0;
  #tags = new Uint32Array(0);
  #tagged = 0;
  // Numbers, and the lengths of those that are text.
  #numbers: number[] = [];
  readonly #origins = new Float64Array(CHUNK_ROWS);

  /** `shapes` are the packer's; it may go on adding to them. */
  constructor(shapes: readonly Shape[]) {
    this.#shapes = shapes;
  }

  /** Takes the record at `at`, which may be overwritten afterwards; true when a chunk is full. */
  take(block: Block, at: number): boolean {
    const kind = block.words[(at >>> 2) + 2] as number;
    if (kind !== this.#kind) this.#turn(kind);
    if ((kind & 3) >= FORM.serialized) this.#deserialize(block, at);
    else this.#gather(block, at, (this.#shapes[kind >>> 2] as Shape).columns.length);
    return this.#out.length + this.#waiting >= CHUNK_ROWS || this.#used >= FULL_BYTES;
  }

  /** The rows of all records taken since the last call. */
  rows(): Row[] {
    this.#decode();
    const { length } = this.#out;
    return length === 0 ? this.#out : this.#out.splice(0, length);
  }

  #turn(kind: number): void {
    this.#decode();
    this.#kind = kind;
    if ((kind & 3) >= FORM.serialized) return;
    const shape = this.#shapes[kind >>> 2] as Shape;
    this.#decoders[kind >>> 2] ??= compileDecode(shape.columns);
    const needed = shape.columns.length * CHUNK_ROWS;
    if (this.#tags.length < needed) this.#tags = new Uint32Array(needed);
  }

  #gather(block: Block, at: number, columns: number): void {
    const { bytes, words } = block;
    const word = at >>> 2;
    const length = words[word + 3] as number;
    const tags = this.#tags;
    let k = this.#tagged;
    let from = at + HEADER + (words[word + 1] as number);
    for (let c = 0; c < columns; c++) {
      const tag = bytes[from++] as number;
      if (tag < TAG.long) {
        tags[k++] = tag;
        continue;
      }
      if (tag === TAG.long) {
        tags[k++] =
          ((bytes[from] as number) |
            ((bytes[from + 1] as number) << 8) |
            ((bytes[from + 2] as number) << 16) |
            ((bytes[from + 3] as number) << 24)) >>>
          0;
        from += 4;
        continue;
      }
      tags[k++] = SPECIAL + (tag - TAG.long);
      if (tag === TAG.exact) {
        this.#numbers.push(
          ((bytes[from] as number) |
            ((bytes[from + 1] as number) << 8) |
            ((bytes[from + 2] as number) << 16) |
            ((bytes[from + 3] as number) << 24)) >>>
            0,
        );
        from += 4;
      }
      if (tag === TAG.number) {
        for (let i = 0; i < 8; i++) floatBytes[i] = bytes[from++] as number;
        this.#numbers.push(float[0] as number);
      }
    }
    this.#tagged = k;
    const used = this.#used;
    if (used + length > this.#text.length) {
      const longer = Buffer.allocUnsafeSlow(Math.max(used + length, this.#text.length * 2));
      this.#text.copy(longer, 0, 0, used);
      this.#text = longer;
    }
    const text = this.#text;
    // Below this a call into native code takes longer than the loop.
    if (length < 256) for (let i = 0; i < length; i++) text[used + i] = bytes[from + i] as number;
    else text.set(bytes.subarray(from, from + length), used);
    this.#used = used + length;
    this.#origins[this.#waiting++] = block.floats[(at >>> 3) + 2] as number;
  }

  #decode(): void {
    if (this.#waiting === 0) return;
    const encoding = (this.#kind & 3) === FORM.latin1 ? 'latin1' : 'utf16le';
    const text = this.#text.toString(encoding, 0, this.#used);
    const decode = this.#decoders[this.#kind >>> 2] as Decode;
    decode(text, this.#tags, this.#numbers, this.#origins, this.#waiting, this.#out);
    this.#waiting = 0;
    this.#used = 0;
    this.#tagged = 0;
    this.#numbers = [];
  }

  #deserialize(block: Block, at: number): void {
    const word = at >>> 2;
    const from = at + HEADER + (block.words[word + 1] as number);
    const row = v8.deserialize(
      Buffer.from(block.bytes.slice(from, from + (block.words[word + 3] as number))),
    ) as Row;
    if (this.#kind === FORM.cloned) fromClone(row);
    const origin = block.floats[(at >>> 3) + 2];
    this.#out.push(markOrigin(row, Number.isNaN(origin) ? undefined : origin));
  }
}

/**
 * One constructor for all rows of a shape, so that the engine sees one hidden class. Column names are
 * untrusted: they enter the code only through JSON.stringify, and an assignment to `__proto__` would set
 * a prototype.
 */
function compileDecode(columns: readonly string[]): Decode {
  const values = columns.map((_, i) => `v${i}`);
  const assignments = columns.map((name, i) =>
    name === '__proto__'
      ? `Object.defineProperty(this, '__proto__', { value: v${i}, enumerable: true, configurable: true, writable: true });`
      : `this[${JSON.stringify(name)}] = v${i};`,
  );
  const reads = values.map(
    (value) =>
      `const ${value} = (tag = tags[k++]) < ${SPECIAL} ? text.slice(at, (at += tag)) : tag === ${SPECIAL + TAG.null - TAG.long} ? null : special(tag);`,
  );
  const source = `'use strict';
function Row(${values.join(', ')}) { ${assignments.join(' ')} }
Row.prototype = Object.prototype;
return function decode(text, tags, numbers, origins, rows, out) {
  let at = 0, k = 0, n = 0, tag = 0;
  const special = (tag) => {
    if (tag === ${SPECIAL + TAG.number - TAG.long}) return numbers[n++];
    if (tag === ${SPECIAL + TAG.exact - TAG.long}) return numberOf(text.slice(at, (at += numbers[n++])));
    return tag === ${SPECIAL + TAG.undefined - TAG.long} ? undefined : tag === ${SPECIAL + TAG.true - TAG.long};
  };
  for (let i = 0; i < rows; i++) {
    ${reads.join('\n    ')}
    const row = new Row(${values.join(', ')});
    const origin = origins[i];
    if (origin === origin) row[ORIGIN] = origin;
    out.push(row);
  }
};`;
  return new Function('ORIGIN', 'numberOf', source)(ORIGIN, numberOf) as Decode;
}
