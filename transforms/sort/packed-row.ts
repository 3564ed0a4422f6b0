/*
 * A row and its key as bytes, for rows that are kept rather than passed on. Numbers stand in 32-bit words:
 *   word 0  bytes of the record, a multiple of 8      word 1  bytes of the key
 *   word 2  shape × 4 + form of the text              word 3  bytes of the text
 *   words 4 and 5  the row's origin as a 64-bit float, NaN for none
 * and then come the key, one tag a column (with what belongs to it), and all text in one.
 */

/** Bytes before the key. */
export const HEADER = 24;

/**
 * How a record's text is written: the first two are exact for every string, lone surrogates included; `cloned` is
 * serialized, with ExactNumbers in it. These two are the last.
 */
export const FORM = { latin1: 0, utf16: 1, serialized: 2, cloned: 3 } as const;

/**
 * A tag below LONG is the length of a text; LONG is followed by a length in 4 bytes, NUMBER by 8 bytes, EXACT (text that
 * stands for a number) by a length in 4 bytes.
 */
export const TAG = {
  long: 249,
  number: 250,
  undefined: 251,
  false: 252,
  true: 253,
  exact: 254,
  null: 255,
} as const;

/** Bytes that hold records, seen as bytes and as words; every record starts at a multiple of 8. */
export class Block {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly floats: Float64Array;
  /** The same bytes, for copying text. */
  readonly buffer: Buffer;

  constructor(size: number) {
    // Memory that is not written to is not taken from the system.
    this.buffer = Buffer.allocUnsafeSlow((size + 7) & ~7);
    const memory = this.buffer.buffer as ArrayBuffer;
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory);
    this.floats = new Float64Array(memory);
  }

  get size(): number {
    return this.bytes.length;
  }
}

/** The bytes of the record at `at`. */
export function recordBytes(block: Block, at: number): number {
  return block.words[at >>> 2] as number;
}

/** A copy of the key of the record at `at`. */
export function keyOf(block: Block, at: number): Uint8Array {
  const from = at + HEADER;
  return block.bytes.slice(from, from + (block.words[(at >>> 2) + 1] as number));
}
