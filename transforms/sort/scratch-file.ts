import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { fileErrors } from '../../src/core/errors/catalogue/files.js';

/**
 * Bytes on disk for as long as the process wants them. Readable by its owner only, and without a name from
 * the moment it is open, so that even `kill -9` leaves nothing behind; the space is free again after
 * `dispose`, which the owner must call.
 */
export class ScratchFile {
  /** Bytes written so far. */
  length = 0;
  readonly #file: FileHandle;
  readonly #directory: string;

  private constructor(file: FileHandle, directory: string) {
    this.#file = file;
    this.#directory = directory;
  }

  /** An empty file in `directory`, which must exist. Throws `scratch_failed`. */
  static async create(directory: string): Promise<ScratchFile> {
    const name = path.join(directory, `spill-${process.pid}-${randomBytes(6).toString('hex')}`);
    try {
      const file = await open(name, 'wx+', 0o600);
      // Windows refuses to remove an open file in places; the owner's scratch directory goes anyway.
      await unlink(name).catch((error: NodeJS.ErrnoException) => {
        if (process.platform !== 'win32') throw error;
      });
      return new ScratchFile(file, directory);
    } catch (error) {
      throw scratchFailed(directory, error);
    }
  }

  /** Appends all of `bytes`. Throws `scratch_failed` (disk full, say). */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < bytes.length) {
        const wrote = await this.#file.write(bytes, written, bytes.length - written, this.length + written);
        written += wrote.bytesWritten;
      }
    } catch (error) {
      throw scratchFailed(this.#directory, error);
    }
    this.length += bytes.length;
  }

  /** Fills the first `bytes` bytes of `into` from place `at`. Throws `scratch_failed`. */
  async read(into: Uint8Array, at: number, bytes: number): Promise<void> {
    try {
      const { bytesRead } = await this.#file.read(into, 0, bytes, at);
      if (bytesRead !== bytes) throw new Error(`${bytesRead} of ${bytes} bytes read`);
    } catch (error) {
      throw scratchFailed(this.#directory, error);
    }
  }

  /** Gives the space back. May be called again. */
  async dispose(): Promise<void> {
    await this.#file.close();
  }
}

function scratchFailed(directory: string, error: unknown) {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOSPC' ? 'no space left on the device' : message;
  return fileErrors.scratch_failed.sort({ folder: directory, why }, { cause: error });
}
