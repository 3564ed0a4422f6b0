import type { Run } from '../../core/run.js';
import { headOf, openBytes } from '../bytes/open.js';
import { stopIfAborted } from '../bytes/stop.js';
import { compressionOf } from './decompress.js';
import type { OpenOptions } from './open-options.js';
import { openText } from './opening.js';
import { rawBytes } from './raw.js';

/** Buffers that were let go of are filled again: at most so many, since parts are done at different times. */
const SPARE_BUFFERS = 4;

/**
 * The text of an input as UTF-8 bytes, gathered in a Buffer from which the beginning is taken, a stretch at a time. Throws
 * what `openText` throws.
 */
export class TextFeed {
  #text: AsyncGenerator<Buffer, void>;
  #bytes: Buffer;
  #held = 0;
  #offset = 0;
  #ended = false;
  readonly #spare: Buffer[] = [];

  private constructor(
    private readonly path: string,
    private readonly run: Run,
    options: OpenOptions,
    /** Whether places in the text are places in the file: see `canJump`. */
    readonly jumps: boolean,
    /** How much is held at a time, unless more is asked for. */
    private readonly size: number,
  ) {
    this.#text = openText(path, run, options);
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  static async open(path: string, run: Run, options: OpenOptions, size: number): Promise<TextFeed> {
    return new TextFeed(path, run, options, await canJump(path, run, options), size);
  }

  /** Where in the text the bytes that are held begin. */
  get offset(): number {
    return this.#offset;
  }

  /** The bytes that are held, with those that were put before them. */
  get held(): Buffer {
    return this.#bytes.subarray(0, this.#held);
  }

  /** Whether nothing comes after what is held. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Reads until so many bytes are held, or the text ends. */
  async fill(bytes: number): Promise<void> {
    while (this.#held < bytes && !this.#ended) {
      const { done, value } = await this.#text.next();
      if (done === true) this.#ended = true;
      else this.#append(value);
    }
  }

  /** The first `bytes` that are held, as a Buffer that is the caller's until it is given back by `release`. */
  take(bytes: number): { readonly bytes: Buffer; release(memory?: ArrayBuffer): void } {
    const taken = this.#bytes;
    const next = this.#free(this.#held - bytes);
    taken.copy(next, 0, bytes, this.#held);
    this.#bytes = next;
    this.#held -= bytes;
    this.#offset += bytes;
    let released = false;
    return {
      bytes: taken.subarray(0, bytes),
      release: (memory) => {
        if (released) return;
        released = true;
        const free = memory === undefined ? taken : Buffer.from(memory);
        // Memory that was given away and has not come back is none.
        if (this.#spare.length < SPARE_BUFFERS && free.length > 0 && free.length <= 2 * this.size)
          this.#spare.push(free);
      },
    };
  }

  /** Goes on at the byte `offset` of the text, no smaller than that of what is held. */
  async passTo(offset: number): Promise<void> {
    while (this.#offset + this.#held < offset && !this.#ended) {
      if (this.jumps) {
        await this.#text.return();
        this.#text = rawBytes(this.path, this.run, { bytes: 0, of: undefined }, offset);
        this.#offset = offset;
        this.#held = 0;
        return;
      }
      this.#offset += this.#held;
      this.#held = 0;
      await this.fill(1);
    }
    const gone = Math.min(this.#held, offset - this.#offset);
    this.#bytes.copyWithin(0, gone, this.#held);
    this.#held -= gone;
    this.#offset += gone;
  }

  /** What is held and all that comes after it, as whoever opens the text would have it. */
  async *rest(): AsyncGenerator<Buffer, void> {
    try {
      if (this.#held > 0) yield Buffer.from(this.held);
      yield* this.#text;
    } finally {
      await this.#text.return();
    }
  }

  async close(): Promise<void> {
    await this.#text.return();
  }

  #append(bytes: Buffer): void {
    const needed = this.#held + bytes.length;
    if (needed > this.#bytes.length) {
      const longer = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
      this.#bytes.copy(longer, 0, 0, this.#held);
      this.#bytes = longer;
    }
    bytes.copy(this.#bytes, this.#held);
    this.#held = needed;
  }

  #free(least: number): Buffer {
    const spare = this.#spare.pop();
    if (spare !== undefined && spare.length >= least) return spare;
    return Buffer.allocUnsafeSlow(Math.max(this.size, least));
  }
}

/**
 * Whether places in the text of the file at `path` are places in the file: it can be read from anywhere, is not
 * compressed, and its encoding is its own. What cannot be opened is for the reading to refuse.
 */
export async function canJump(path: string, run: Run, { encoding, opened }: OpenOptions): Promise<boolean> {
  if (opened !== undefined) return false;
  if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) return false;
  try {
    const bytes = await openBytes(path, run);
    if (bytes?.seekable !== true) return false;
    return compressionOf(await headOf(bytes, run.signal, 4)) === undefined;
  } catch {
    stopIfAborted(run);
    return false;
  }
}
