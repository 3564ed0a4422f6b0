import { compareBytes } from './key-bytes.js';
import { type Block, HEADER } from './packed-row.js';

/** How many bytes of a key are packed in front of a 24-bit index into 64 bits. */
const PACKED = 5;
const INDEX_BITS = 24;
/** Below this many, comparing keys is quicker than packing them. */
const SMALL = 24;

/** The most records that can be put in order at once. */
export const MAX_RECORDS = 2 ** INDEX_BITS;

/**
 * Puts the places of records in `block` into the order of their keys; of equal keys the one that stood
 * first stays first. No key may be the beginning of another (see `KeyWriter`).
 *
 * Comparing keys is mostly a wait for memory. So the five bytes after the common beginning are packed with
 * an index into 64-bit integers, which the engine sorts natively, and only ranges that are equal so far are
 * looked at again (a radix sort from the front).
 */
export function sortRecords(block: Block, places: Uint32Array): void {
  sortRange(block, places, 0, places.length, 0);
}

function sortRange(block: Block, places: Uint32Array, from: number, to: number, known: number): void {
  const count = to - from;
  if (count < SMALL) {
    insertionSort(block, places, from, to, known);
    return;
  }
  const { bytes, words } = block;
  const start = commonStart(block, places, from, to, known);
  const before = places.slice(from, to);
  const packed = new BigUint64Array(count);
  const halves = new Uint32Array(packed.buffer);
  const low = LITTLE_ENDIAN ? 0 : 1;
  for (let i = 0; i < count; i++) {
    const at = before[i] as number;
    const end = at + HEADER + (words[(at >>> 2) + 1] as number);
    const key = at + HEADER + start;
    // 0 stands for the end: no key is the beginning of another, so it is never taken for a byte 0.
    let high = 0;
    for (let c = key; c < key + 4; c++) high = (high << 8) | (c < end ? (bytes[c] as number) : 0);
    halves[2 * i + 1 - low] = high >>> 0;
    halves[2 * i + low] = (((key + 4 < end ? (bytes[key + 4] as number) : 0) << INDEX_BITS) | i) >>> 0;
  }
  packed.sort();
  let tie = 0;
  for (let i = 0; i < count; i++) {
    const place = before[(halves[2 * i + low] as number) & (MAX_RECORDS - 1)] as number;
    places[from + i] = place;
    if (i + 1 < count && sameKey(halves, low, i, i + 1)) continue;
    const ended = (words[(place >>> 2) + 1] as number) <= start + PACKED;
    if (i > tie && !ended) sortRange(block, places, from + tie, from + i + 1, start + PACKED);
    tie = i + 1;
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function sameKey(halves: Uint32Array, low: number, a: number, b: number): boolean {
  return (
    halves[2 * a + 1 - low] === halves[2 * b + 1 - low] &&
    (halves[2 * a + low] as number) >>> INDEX_BITS === (halves[2 * b + low] as number) >>> INDEX_BITS
  );
}

/** How many bytes all keys of the range share, `known` of them already known. */
function commonStart(block: Block, places: Uint32Array, from: number, to: number, known: number): number {
  const { bytes, words } = block;
  const first = places[from] as number;
  let shared = words[(first >>> 2) + 1] as number;
  for (let i = from + 1; i < to && shared > known; i++) {
    const at = places[i] as number;
    const length = words[(at >>> 2) + 1] as number;
    if (length < shared) shared = length;
    let c = known;
    while (c < shared && bytes[at + HEADER + c] === bytes[first + HEADER + c]) c++;
    shared = c;
  }
  return shared;
}

function insertionSort(block: Block, places: Uint32Array, from: number, to: number, known: number): void {
  for (let i = from + 1; i < to; i++) {
    const place = places[i] as number;
    let j = i - 1;
    while (j >= from && compareRecords(block, place, block, places[j] as number, known) < 0) {
      places[j + 1] = places[j] as number;
      j--;
    }
    places[j + 1] = place;
  }
}

/** Compares the keys of two records, of which `known` bytes are known to be equal. */
function compareRecords(a: Block, aAt: number, b: Block, bAt: number, known = 0): number {
  return compareBytes(
    a.bytes,
    aAt + HEADER + known,
    (a.words[(aAt >>> 2) + 1] as number) - known,
    b.bytes,
    bAt + HEADER + known,
    (b.words[(bAt >>> 2) + 1] as number) - known,
  );
}
