import { Damage } from '../text/damage.js';

/** A part of a frame that is unpacked by itself, and the byte (0-based) of the compressed data where it begins. */
export interface Piece {
  readonly what: 'header' | 'block' | 'checksum';
  readonly at: number;
  /** In memory of its own, which may be given away. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The largest window that zstd itself takes without being told to (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`, 27). */
const MOST_WINDOW = 128 * 1024 * 1024;
/** No block holds more, packed or unpacked: RFC 8878, 3.1.1.2.4. */
const MOST_BLOCK = 128 * 1024;
/** Pieces handed on at a time: unpacked they are at most eight blocks, whatever their size now. */
const MOST_PIECES = 8;
const FRAME = 0xfd2fb528;

/**
 * Takes zstd data (RFC 8878) apart: every frame's header, blocks and checksum, in order, some at a time. Skippable
 * frames are left out. What is asked of the data here are their sizes, so that data which end too early, or go on
 * after the last frame, are told from whole ones, and no frame takes more memory than `MOST_WINDOW`; whether the
 * bytes of a piece are right, the decoder knows. Throws Damage.
 */
export async function* zstdPieces(raw: AsyncIterable<Buffer>): AsyncGenerator<Piece[], void> {
  const input = new Input(raw);
  let pieces: Piece[] = [];
  const piece = (what: Piece['what'], bytes: Buffer) =>
    pieces.push({ what, at: input.at - bytes.length, bytes: new Uint8Array(bytes) });
  /** Hands on what there is before it waits, and where it is enough. */
  async function* has(bytes: number): AsyncGenerator<Piece[], boolean> {
    while (pieces.length >= MOST_PIECES || input.length < bytes) {
      if (pieces.length > 0) {
        yield pieces;
        pieces = [];
      } else if (!(await input.more())) return false;
    }
    return true;
  }
  async function* must(bytes: number): AsyncGenerator<Piece[], void> {
    if (!(yield* has(bytes))) throw new Damage('truncated', 'the last frame is not whole');
  }
  while (yield* has(1)) {
    yield* must(4);
    const magic = input.peek(4).readUInt32LE(0);
    if ((magic & 0xfffffff0) >>> 0 === 0x184d2a50) {
      yield* must(8);
      for (let left = input.take(8).readUInt32LE(4); left > 0; ) {
        yield* must(1);
        left -= input.take(Math.min(left, input.length)).length;
      }
      continue;
    }
    if (magic !== FRAME) throw new Damage('corrupt', `no frame begins at byte ${input.at}`);
    yield* must(5);
    const size = headerSize(input.peek(5)[4] as number);
    yield* must(size);
    const header = input.take(size);
    const { window, checksum } = headerOf(header);
    piece('header', header);
    for (let last = false; !last; ) {
      yield* must(3);
      const bits = input.peek(3).readUIntLE(0, 3);
      last = (bits & 1) === 1;
      const type = (bits >> 1) & 3;
      const length = bits >> 3;
      if (type === 3 || length > Math.min(window, MOST_BLOCK))
        throw new Damage('corrupt', `the block at byte ${input.at} is none`);
      const content = 3 + (type === RUN ? 1 : length);
      yield* must(content);
      piece('block', input.take(content));
    }
    if (checksum) {
      yield* must(4);
      piece('checksum', input.take(4));
    }
  }
  if (pieces.length > 0) yield pieces;
}

/** The type of a block that is one byte, many times. */
const RUN = 1;

/** How long a frame's header is, its magic number included, by its descriptor: RFC 8878, 3.1.1.1. */
function headerSize(descriptor: number): number {
  const { single, dictionary, content } = fields(descriptor);
  return 5 + (single ? 0 : 1) + dictionary + content;
}

/** The lengths of a header's fields. */
function fields(descriptor: number) {
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  return {
    single,
    dictionary: [0, 1, 2, 4][descriptor & 3] as number,
    content: flag === 0 ? (single ? 1 : 0) : 2 ** flag,
  };
}

function headerOf(header: Buffer): { window: number; checksum: boolean } {
  const descriptor = header[4] as number;
  const { single, dictionary, content } = fields(descriptor);
  let at = 5 + (single ? 0 : 1);
  if (dictionary > 0 && header.readUIntLE(at, dictionary) !== 0)
    throw new Damage('corrupt', `it was packed with dictionary ${header.readUIntLE(at, dictionary)}`);
  at += dictionary;
  const window = single ? sizeAt(header, at, content) : windowOf(header[5] as number);
  if (window > MOST_WINDOW)
    throw new Damage(
      'too_large',
      `it takes a window of ${Math.ceil(window / 1024 / 1024)} MiB, and at most 128 MiB are given to it`,
    );
  return { window, checksum: (descriptor & 4) !== 0 };
}

function sizeAt(header: Buffer, at: number, length: number): number {
  if (length === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** Bytes that have been read and not been taken yet. */
class Input {
  /** The byte of the data at which what is held begins. */
  at = 0;
  #held: Buffer = Buffer.alloc(0);
  readonly #raw: AsyncIterator<Buffer>;

  constructor(raw: AsyncIterable<Buffer>) {
    this.#raw = raw[Symbol.asyncIterator]();
  }

  get length(): number {
    return this.#held.length;
  }

  /** Reads more; false where there is none. A copy, because a Buffer of the reader's is filled again. */
  async more(): Promise<boolean> {
    const next = await this.#raw.next();
    if (next.done === true) return false;
    this.#held = Buffer.concat([this.#held, next.value]);
    return true;
  }

  peek(bytes: number): Buffer {
    return this.#held.subarray(0, bytes);
  }

  take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    this.at += bytes;
    return taken;
  }
}
