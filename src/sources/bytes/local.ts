import { close, open, read, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { nearest } from '../../core/errors/nearest.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { InputBytes } from '../../core/input-bytes.js';
import { formatOf } from '../format.js';
import { stopIfAborted } from './stop.js';

const openFile = promisify(open);
const readFd = promisify(read);
const closeFd = promisify(close);

/** Bytes asked for at a time: larger costs memory (the text of a chunk lives with its rows) and gains nothing. */
export const READ_BYTES = 64 * 1024;

/** The bytes of the regular file at `path`. Throws what `statInput` throws; undefined where it is none. */
export async function localFile(path: string): Promise<InputBytes | undefined> {
  const found = await statInput(path);
  if (!found.isFile()) return undefined;
  const { dev, ino, ctimeNs } = await stat(path, { bigint: true });
  return {
    name: path,
    path,
    size: found.size,
    modified: found.mtime.toISOString(),
    version: `${dev}:${ino}:${ctimeNs}`,
    // The same file may be written to, and a copy of it have another version.
    content: undefined,
    tag: undefined,
    seekable: true,
    encoded: false,
    async *read(signal, from, to) {
      const fd = await descriptorOf(path);
      try {
        yield* fromDescriptor(fd, path, signal, from, to);
      } finally {
        await closeFd(fd);
      }
    },
  };
}

/** What `path` is. Throws usage `file_not_found` (with the nearest name) and `is_directory`, failed `no_permission`. */
export async function statInput(path: string): Promise<Stats> {
  let facts: Stats;
  try {
    facts = await stat(path);
  } catch (error) {
    throw codeOf(error) === 'ENOENT' ? await notFound(path) : openError(error, path);
  }
  if (facts.isDirectory()) {
    const names = await readdir(path).catch(() => []);
    const inputs = names.filter((name) => formatOf(name) !== undefined);
    throw fileErrors.is_directory(
      { path },
      { details: inputs.length > 0 ? [`it holds ${inputs.slice(0, 5).join(', ')}`] : undefined },
    );
  }
  return facts;
}

/** What is at `path`, opened. Throws failed `no_permission`, `cannot_open`. */
export async function descriptorOf(path: string, flags: number | 'r' = 'r'): Promise<number> {
  return openFile(path, flags).catch((error: unknown) => {
    throw openError(error, path);
  });
}

/** The bytes behind `fd`, which stays open; `from` a place, where it has places. Throws failed `read_failed`; interrupted. */
export async function* fromDescriptor(
  fd: number,
  path: string,
  signal: AbortSignal,
  from?: number,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer, void> {
  // Two buffers in turn: one is parsed while the other is filled.
  let current = Buffer.allocUnsafeSlow(READ_BYTES);
  let other = Buffer.allocUnsafeSlow(READ_BYTES);
  let at = from;
  let left = to - (from ?? 0);
  const fill = (buffer: Buffer) => {
    const reading = readFd(fd, buffer, 0, Math.max(0, Math.min(READ_BYTES, left)), at ?? null);
    reading.catch(() => {});
    return reading;
  };
  let pending = fill(current);
  try {
    for (;;) {
      const { bytesRead } = await pending.catch((error: unknown) => {
        throw fileErrors.read_failed({ path, why: messageOf(error) }, { cause: error });
      });
      stopIfAborted({ signal });
      if (bytesRead === 0) return;
      left -= bytesRead;
      if (at !== undefined) at += bytesRead;
      pending = fill(other);
      yield current.subarray(0, bytesRead);
      [current, other] = [other, current];
    }
  } finally {
    await pending.catch(() => {});
  }
}

async function notFound(path: string): Promise<SluiceError> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) {
    return fileErrors.file_not_found.noFolder({ path, folder });
  }
  const close = nearest(basename(path), names);
  const meant = close === undefined ? undefined : path.slice(0, path.length - basename(path).length) + close;
  return fileErrors.file_not_found.noFile({ path, meant });
}

function openError(error: unknown, path: string): SluiceError {
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return fileErrors.no_permission.input({ path }, { cause: error });
  }
  return fileErrors.cannot_open({ path, why: messageOf(error) }, { cause: error });
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException | undefined)?.code;
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
