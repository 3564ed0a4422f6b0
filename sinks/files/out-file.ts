import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileErrors } from '../../src/core/errors/catalogue/files.js';
import { type Packing, packerOf, packingOf } from './packing.js';

/**
 * A file in the making: bytes go into `<path>.<process>.part` beside it, packed where wanted, and it has its name only
 * when it is `keep`t. Mode 0600: what it holds may be personal. Throws failed `cannot_write`.
 */
export class OutFile {
  /** Bytes written, before packing. */
  bytes = 0;
  readonly #unfinished: string;
  readonly #file: WriteStream;
  /** What is written to: the packer, or the file itself. */
  readonly #first: Writable;
  readonly #flowing: Promise<void>;
  #failure: Error | undefined;
  #kept = false;

  private constructor(
    readonly path: string,
    packing: Packing | undefined,
  ) {
    this.#unfinished = unfinishedName(path);
    this.#file = createWriteStream(this.#unfinished, { mode: 0o600, highWaterMark: 1 << 20 });
    const packer = packerOf(packing);
    this.#first = packer ?? this.#file;
    this.#flowing =
      packer === undefined ? once(this.#file, 'close').then(() => {}) : pipeline(packer, this.#file);
    this.#flowing.catch((error: Error) => this.#fail(error));
    this.#file.on('error', (error) => this.#fail(error));
  }

  /** Opens the file, and makes the folders above it. Throws usage `cannot_pack`. */
  static async open(path: string, packing = packingOf(path)): Promise<OutFile> {
    await mkdir(dirname(path), { recursive: true }).catch((error: Error) => {
      throw cannotWrite(path, error);
    });
    return new OutFile(path, packing);
  }

  /** Takes the bytes over; resolves when more may come. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    this.bytes += bytes.length;
    if (!this.#first.write(bytes)) await this.#drained();
    this.#check();
  }

  /** All bytes are in the file, which still has to be kept. */
  async end(): Promise<void> {
    this.#first.end();
    await this.#flowing.catch(() => {});
    this.#check();
  }

  /** Gives the finished file its name, in the place of one that has it. */
  async keep(): Promise<void> {
    await rename(this.#unfinished, this.path).catch((error: Error) => {
      throw cannotWrite(this.path, error);
    });
    this.#kept = true;
    taken.delete(this.#unfinished);
  }

  /** Removes what is not kept. Never throws. */
  async discard(): Promise<void> {
    if (this.#kept) return;
    this.#first.destroy();
    await this.#flowing.catch(() => {});
    // Not yet opened, it would be made after it was removed.
    if (!this.#file.closed) await once(this.#file.destroy(), 'close').catch(() => {});
    await rm(this.#unfinished, { force: true }).catch(() => {});
    taken.delete(this.#unfinished);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#first.emit('drain');
  }

  #check(): void {
    if (this.#failure !== undefined) throw cannotWrite(this.path, this.#failure);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#first.once('drain', resolve);
    });
  }
}

/** Of files in the making in this process: two may be on their way to one name. */
const taken = new Set<string>();

function unfinishedName(path: string): string {
  for (let n = 1; ; n++) {
    const name = `${path}.${process.pid}${n === 1 ? '' : `.${n}`}.part`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

function cannotWrite(path: string, error: Error) {
  const { code } = error as NodeJS.ErrnoException;
  return fileErrors.cannot_write.ofExport(
    { path, why: code === 'ENOSPC' ? 'no space left' : error.message },
    { cause: error },
  );
}
