import { Block, keyOf, recordBytes } from './packed-row.js';
import { ScratchFile } from './scratch-file.js';

/** Bytes of a frame, the unit of reading back: a merge holds one of every run. */
const FRAME_BYTES = 128 << 10;
/** Bytes gathered before they are written. */
const WRITE_BYTES = 1 << 20;

interface Frame {
  readonly at: number;
  readonly bytes: number;
  /** Where in the frame its last record starts. */
  readonly last: number;
}

/** Records in order on disk. The owner must call `dispose`. */
export class SortedRun {
  /** 0 for a run sorted in memory, n + 1 for one merged from runs of level n. */
  readonly level: number;
  readonly #file: ScratchFile;
  readonly #frames: Frame[] = [];
  #first: Uint8Array | undefined;
  #largest = 0;

  // What waits to be written, and the frame that grows at its end.
  #block: Block | undefined = new Block(WRITE_BYTES);
  #used = 0;
  #frameAt = 0;
  #lastAt = 0;

  private constructor(file: ScratchFile, level: number) {
    this.#file = file;
    this.level = level;
  }

  /** An empty run in `directory`. Throws `scratch_failed`. */
  static async create(directory: string, level: number): Promise<SortedRun> {
    return new SortedRun(await ScratchFile.create(directory), level);
  }

  /** The key of the first record. */
  get first(): Uint8Array {
    return this.#first as Uint8Array;
  }

  get frames(): number {
    return this.#frames.length;
  }

  /** Bytes of the largest frame. */
  get largestFrame(): number {
    return this.#largest;
  }

  /** Takes the record at `at` as the next one; true where `flush` is due before another is given. */
  take(block: Block, at: number): boolean {
    const size = recordBytes(block, at);
    this.#first ??= keyOf(block, at);
    let own = this.#block as Block;
    if (this.#used + size > own.size) {
      // Only one record alone is larger than what `flush` leaves free.
      const longer = new Block(this.#used + size);
      longer.bytes.set(own.bytes.subarray(0, this.#used));
      own = longer;
      this.#block = own;
    }
    if (this.#used > this.#frameAt && this.#used + size - this.#frameAt > FRAME_BYTES) this.#endFrame();
    const from = at >>> 2;
    const to = this.#used >>> 2;
    for (let i = 0; i < size >>> 2; i++) own.words[to + i] = block.words[from + i] as number;
    this.#lastAt = this.#used;
    this.#used += size;
    return this.#used >= WRITE_BYTES - FRAME_BYTES;
  }

  /** Writes what was taken. Throws `scratch_failed`. */
  async flush(): Promise<void> {
    this.#endFrame();
    await this.#file.append((this.#block as Block).bytes.subarray(0, this.#used));
    this.#used = 0;
    this.#frameAt = 0;
  }

  /** Writes the rest; nothing can be taken any more. */
  async end(): Promise<void> {
    await this.flush();
    this.#block = undefined;
  }

  /** Reads frame `index` to the start of `into`; gives its bytes and where its last record starts. */
  async read(index: number, into: Block): Promise<Frame> {
    const frame = this.#frames[index] as Frame;
    await this.#file.read(into.bytes, frame.at, frame.bytes);
    return frame;
  }

  /** Gives the space back. May be called again. */
  async dispose(): Promise<void> {
    this.#block = undefined;
    await this.#file.dispose();
  }

  #endFrame(): void {
    const bytes = this.#used - this.#frameAt;
    if (bytes === 0) return;
    this.#frames.push({ at: this.#file.length + this.#frameAt, bytes, last: this.#lastAt - this.#frameAt });
    this.#largest = Math.max(this.#largest, bytes);
    this.#frameAt = this.#used;
  }
}
