import { Worker } from 'node:worker_threads';
import { compiledFile } from '../../core/package.js';
import { Damage } from '../text/damage.js';
import { type Piece, zstdPieces } from './frames.js';
import type { Unpacked } from './thread.js';

/** Requests that the thread may have before it is waited for. */
const AHEAD = 2;

/**
 * The bytes inside zstd data (RFC 8878): all frames, one after the other, each with its checksum verified where it
 * has one. Node's own decoder is not asked where there is one (22.15 and later): it stops after the first frame, and
 * in some versions it takes data that end too early for whole ones. Takes at most 128 MiB and some blocks. Throws
 * Damage; what came before may have been handed on.
 */
export async function* unzstd(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const thread = new Decoder();
  const asked: Promise<readonly Uint8Array[]>[] = [];
  const ask = (pieces: readonly Piece[]) => {
    const reply = thread.unpack(pieces);
    // Where the reading stops before its turn comes, nobody waits for it.
    reply.catch(() => {});
    asked.push(reply);
  };
  try {
    for await (const pieces of zstdPieces(raw)) {
      ask(pieces);
      if (asked.length >= AHEAD) yield* buffers(await asked.shift());
    }
    ask([]);
    while (asked.length > 0) yield* buffers(await asked.shift());
  } finally {
    await thread.end();
  }
}

function* buffers(data: readonly Uint8Array[] = []): Generator<Buffer> {
  for (const each of data) yield Buffer.from(each.buffer, each.byteOffset, each.byteLength);
}

interface Waiting {
  resolve(data: readonly Uint8Array[]): void;
  reject(error: Error): void;
}

/** The thread, as it is asked. */
class Decoder {
  readonly #thread = new Worker(compiledFile('src', 'sources', 'zstd', 'thread.js'), { execArgv: [] });
  readonly #waiting: Waiting[] = [];
  #over: Error | undefined;

  constructor() {
    this.#thread.on('message', (reply: Unpacked) => {
      if ('wrong' in reply) this.#fail(damage(reply.wrong));
      else this.#waiting.shift()?.resolve(reply.data);
    });
    this.#thread.on('error', (error) => this.#fail(error));
    this.#thread.on('exit', () => this.#fail(new Error('the thread that unpacks it ended')));
  }

  /** What `pieces` hold; without any, whether all before were right. The pieces are given away. */
  unpack(pieces: readonly Piece[]): Promise<readonly Uint8Array[]> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#thread.postMessage(
        pieces,
        pieces.map(({ bytes }) => bytes.buffer),
      );
    });
  }

  /** Ends the thread, and gives its memory back. */
  async end(): Promise<void> {
    await this.#thread.terminate();
  }

  #fail(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
  }
}

function damage({ what, at }: Pick<Piece, 'what' | 'at'>): Damage {
  return new Damage(
    'corrupt',
    what === 'checksum'
      ? `its text does not have the checksum that stands at byte ${at}`
      : `the ${what} at byte ${at} cannot be unpacked`,
  );
}
