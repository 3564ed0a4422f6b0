import { type AnyRow, anyColumns } from '../../src/core/row.js';
import { compareBytes, KeyBytes } from './key-bytes.js';
import type { KeyWriter } from './order.js';
import type { Packer } from './pack.js';
import { Block } from './packed-row.js';
import { sortRecords } from './radix-sort.js';

/**
 * Rows in memory that wait to be put in order, packed into one block: millions of small objects that live
 * for long would cost the garbage collector more than the sort.
 */
export class Held<R extends AnyRow> {
  rows = 0;
  block: Block;
  /** Bytes of the block that are used. */
  used = 0;
  /** Whether the rows came in order. */
  ascending = true;
  readonly #mostBytes: number;
  readonly #most: number;
  readonly #write: KeyWriter<R>;
  readonly #packer: Packer;
  #places = new Uint32Array(4096);
  #key = new KeyBytes();
  #before = new KeyBytes();

  constructor(bytes: number, mostRows: number, write: KeyWriter<R>, packer: Packer) {
    // It grows as rows come: most sorts are small, and the garbage collector hurries at large blocks.
    this.block = new Block(Math.min(bytes, 256 << 10));
    this.#mostBytes = bytes;
    this.#most = mostRows;
    this.#write = write;
    this.#packer = packer;
  }

  /** Takes the row in; false where there is no room for it. Throws what the key's writer throws. */
  add(row: R): boolean {
    if (this.rows === this.#most) return false;
    const key = this.#key;
    key.length = 0;
    this.#write(row, key);
    const columns = anyColumns(row);
    let size = this.#packer.pack(columns, key, this.block, this.used);
    if (size < 0) {
      const needed = this.used - size;
      // A row that alone is larger than what may be held is held nevertheless.
      if (needed > this.#mostBytes && this.rows > 0) return false;
      this.#grow(needed);
      size = this.#packer.pack(columns, key, this.block, this.used);
    }
    const before = this.#before;
    if (this.ascending && this.rows > 0) {
      this.ascending = compareBytes(before.bytes, 0, before.length, key.bytes, 0, key.length) <= 0;
    }
    this.#before = key;
    this.#key = before;
    if (this.rows === this.#places.length) {
      const longer = new Uint32Array(this.#places.length * 2);
      longer.set(this.#places);
      this.#places = longer;
    }
    this.#places[this.rows++] = this.used;
    this.used += size;
    return true;
  }

  #grow(needed: number): void {
    const longer = new Block(Math.max(needed, Math.min(this.block.size * 2, this.#mostBytes)));
    longer.bytes.set(this.block.bytes.subarray(0, this.used));
    this.block = longer;
  }

  /** The places of the records in order, equal keys as they came. A view, valid until the next `add`. */
  ordered(): Uint32Array {
    const places = this.#places.subarray(0, this.rows);
    if (!this.ascending) sortRecords(this.block, places);
    return places;
  }

  /** Forgets the rows; the memory is used again. */
  clear(): void {
    this.rows = 0;
    this.used = 0;
    this.ascending = true;
  }
}
