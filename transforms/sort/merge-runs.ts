import { compareBytes } from './key-bytes.js';
import { Block, HEADER, recordBytes } from './packed-row.js';
import type { SortedRun } from './sorted-run.js';

/** Takes the record at `at`, which is overwritten afterwards; true where the taker must be emptied. */
export interface Taker {
  take(block: Block, at: number): boolean;
}

/**
 * Gives `taker` the records of all runs in the order of their keys, of equal keys those of the earlier run
 * first, and yields whenever the taker says that it is full. A frame that no other run reaches into is given
 * without a comparison: runs that follow one another cost no more than reading them.
 */
export async function* merged(runs: readonly SortedRun[], taker: Taker): AsyncGenerator<void> {
  // A sorted array is a heap by the next key already; a run is not opened before its first key is due.
  const heap = runs.map((run, rank) => new Cursor(run, rank));
  heap.sort((a, b) => (before(a, b) ? -1 : 1));
  while (heap.length > 0) {
    const top = heap[0] as Cursor;
    if (top.at === top.end) {
      if (await top.refill()) siftDown(heap);
      else removeTop(heap);
      continue;
    }
    const rival = runnerUp(heap);
    const whole = rival === undefined || top.endsBefore(rival);
    // The inner loop: nothing is awaited until the frame is used up or another run's turn comes.
    do {
      const full = taker.take(top.block, top.at);
      top.advance();
      if (full) yield;
    } while (top.at < top.end && (whole || before(top, rival)));
    if (top.at < top.end) siftDown(heap);
  }
}

class Cursor {
  block: Block;
  at = 0;
  end = 0;
  readonly rank: number;
  // The key of the next record.
  key: Uint8Array;
  keyFrom = 0;
  keyLength: number;
  readonly #run: SortedRun;
  #next = 0;
  #last = 0;

  constructor(run: SortedRun, rank: number) {
    this.#run = run;
    this.rank = rank;
    this.key = run.first;
    this.keyLength = run.first.length;
    this.block = NONE;
  }

  /** The next frame; false at the end of the run. */
  async refill(): Promise<boolean> {
    if (this.#next === this.#run.frames) {
      this.block = NONE;
      return false;
    }
    if (this.block === NONE) this.block = new Block(this.#run.largestFrame);
    const { bytes, last } = await this.#run.read(this.#next++, this.block);
    this.at = 0;
    this.end = bytes;
    this.#last = last;
    this.#showKey();
    return true;
  }

  advance(): void {
    this.at += recordBytes(this.block, this.at);
    if (this.at < this.end) this.#showKey();
  }

  /** Whether the whole of the frame at hand comes before `rival`'s next record. */
  endsBefore(rival: Cursor): boolean {
    const { bytes, words } = this.block;
    const length = words[(this.#last >>> 2) + 1] as number;
    const order = compareBytes(bytes, this.#last + HEADER, length, rival.key, rival.keyFrom, rival.keyLength);
    return order < 0 || (order === 0 && this.rank < rival.rank);
  }

  #showKey(): void {
    this.key = this.block.bytes;
    this.keyFrom = this.at + HEADER;
    this.keyLength = this.block.words[(this.at >>> 2) + 1] as number;
  }
}

const NONE = new Block(0);

function before(a: Cursor, b: Cursor): boolean {
  const order = compareBytes(a.key, a.keyFrom, a.keyLength, b.key, b.keyFrom, b.keyLength);
  return order < 0 || (order === 0 && a.rank < b.rank);
}

/** The cursor that would be first without the top: one of its two children. */
function runnerUp(heap: readonly Cursor[]): Cursor | undefined {
  const left = heap[1];
  const right = heap[2];
  if (left === undefined || right === undefined) return left;
  return before(left, right) ? left : right;
}

function removeTop(heap: Cursor[]): void {
  const last = heap.pop() as Cursor;
  if (heap.length === 0) return;
  heap[0] = last;
  siftDown(heap);
}

function siftDown(heap: Cursor[]): void {
  const moved = heap[0] as Cursor;
  let hole = 0;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Cursor, heap[child] as Cursor)) child++;
    if (!before(heap[child] as Cursor, moved)) break;
    heap[hole] = heap[child] as Cursor;
    hole = child;
  }
  heap[hole] = moved;
}
