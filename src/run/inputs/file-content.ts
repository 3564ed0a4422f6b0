import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../sinks/load/copy/rolling-hash.js';
import type { Around } from '../../core/input-bytes.js';
import type { Source } from '../../core/types.js';
import { bytesOfSource } from '../../sources/bytes/open.js';

/** What a file holds. */
export interface FileContent {
  /** In bytes. */
  readonly size: number;
  /**
   * SHA-256 (hexadecimal) over the SHA-256 of its blocks of 4 MiB: all of it, not only of its ends. Of what is not of this
   * machine, what tells its content.
   */
  readonly hash: string;
}

const BLOCK_BYTES = 4 << 20;

/** File systems tell times in steps of up to two seconds: a file that is younger may be written to and not look it. */
const YOUNG_MS = 2_000;

/** How often a load is asked how far it is. */
const ASK_MS = 20;

/**
 * Reads what a file holds beside whoever loads it: behind them, so that the disk is read once. That
 * both have read the same is known by the file: nobody has touched it since before they began. What is elsewhere and has a
 * version is not read for it.
 */
export class ContentReading {
  #over: boolean;
  readonly #read: Promise<Known | undefined>;

  /** `reached`: how many bytes of it are loaded; left out: nobody loads it. The signal ends the reading. */
  constructor(
    source: Source,
    around: Around,
    private readonly reached?: () => number,
  ) {
    this.#over = reached === undefined;
    this.#read = this.#begin(source, around);
    // It is awaited by whoever wants to know, if anybody does.
    this.#read.catch(() => {});
  }

  /**
   * What the file holds and has held since the reading began; call it once the load is over. Undefined where it cannot be
   * told: the file was written to meanwhile, or so shortly before that nobody would see it; or it cannot be read.
   */
  async content(): Promise<FileContent | undefined> {
    this.#over = true;
    const read = await this.#read.catch(() => undefined);
    return read === undefined || (await read.isOther()) ? undefined : read.content;
  }

  async #begin(source: Source, around: Around): Promise<Known | undefined> {
    const { path, size, content } = (await bytesOfSource(source, around)) ?? {};
    // All of it that is read in this run is of the one version.
    if (content !== undefined && size !== undefined)
      return { content: { size, hash: content }, isOther: async () => false };
    return path === undefined ? undefined : this.#readFile(path, around.signal);
  }

  async #readFile(path: string, signal: AbortSignal): Promise<Known | undefined> {
    const file = await open(path, 'r');
    try {
      const found = await file.stat({ bigint: true });
      const changed = Number(found.ctimeNs / 1_000_000n);
      if (!found.isFile() || Math.abs(Date.now() - changed) < YOUNG_MS) return undefined;
      const hash = createHash('sha256');
      const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
      for (let at = 0; ; ) {
        await this.#until(at + BLOCK_BYTES, signal);
        const bytes = await fill(file, block, at);
        if (bytes > 0) hash.update(digestOf(block.subarray(0, bytes)));
        at += bytes;
        if (bytes < BLOCK_BYTES)
          return {
            content: { size: at, hash: hash.digest('hex') },
            isOther: async () => (await touchedAt(path)) !== touchOf(found),
          };
      }
    } finally {
      await file.close();
    }
  }

  async #until(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (!this.#over && (this.reached?.() ?? 0) < bytes) await sleep(ASK_MS, undefined, { signal });
  }
}

interface Known {
  readonly content: FileContent;
  /** Whether it may hold something else by now. */
  isOther(): Promise<boolean>;
}

/** Fills `block` with the bytes of `file` from `at` on; how many there were. */
async function fill(file: FileHandle, block: Buffer, at: number): Promise<number> {
  let filled = 0;
  while (filled < block.length) {
    const { bytesRead } = await file.read(block, filled, block.length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

interface Touch {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly ctimeNs: bigint;
}

/** Which file it is, and when anything of it was changed last: nobody can set that. */
const touchOf = ({ dev, ino, size, ctimeNs }: Touch) => `${dev}:${ino}:${size}:${ctimeNs}`;

async function touchedAt(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? undefined : touchOf(found);
}
