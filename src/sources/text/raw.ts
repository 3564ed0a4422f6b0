import { close, constants, fstat, open, read, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { nearest } from '../../core/errors/nearest.js';
import { SluiceError as Sluice, type SluiceError } from '../../core/errors/sluice-error.js';
import type { Run } from '../../core/run.js';

const openFile = promisify(open);
const readFd = promisify(read);
const closeFd = promisify(close);
const statFd = promisify(fstat);

/** Bytes asked for at a time: larger costs memory (the text of a chunk lives with its rows) and gains nothing. */
export const READ_BYTES = 64 * 1024;

/** The path that means standard input. */
export const STDIN = '-';

let stdinTaken = false;

/** How far the reading is, in bytes as they lie on the disk; `of` is undefined where nobody knows the end. */
export interface Position {
  bytes: number;
  of: number | undefined;
}

/**
 * The bytes of a file, FIFO, device or stdin (`-`), as they are. A Buffer is the caller's only until the
 * next one is asked for. `position` is kept up to date and told to `run.progress`. Heeds `run.signal`;
 * closes the file when the reader stops early. `from`: the byte of a regular file to begin at.
 *
 * Throws usage `file_not_found`, `is_directory`, `stdin_already_read`; failed `no_permission`,
 * `cannot_open`, `read_failed`; interrupted.
 */
export async function* rawBytes(
  path: string,
  run: Run,
  position: Position,
  from?: number,
): AsyncGenerator<Buffer, void> {
  const advance = (bytes: number) => {
    position.bytes += bytes;
    run.progress(position.of === undefined ? { bytes: position.bytes } : { ...position, of: position.of });
  };
  stopIfAborted(run);
  if (path === STDIN) {
    if (stdinTaken) {
      throw fileErrors.stdin_already_read({ input: STDIN, shown: 'stdin' });
    }
    stdinTaken = true;
    const facts = await statFd(0);
    if (facts.isFile()) {
      position.of = facts.size;
      yield* fromDescriptor(0, path, run, advance);
    } else {
      yield* fromStream(process.stdin, path, run, advance);
    }
    return;
  }
  const facts = await statInput(path);
  // A FIFO opened the plain way blocks a thread of the pool until a writer comes, and no signal ends that.
  const flags = facts.isFIFO() ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY;
  const fd = await openFile(path, flags).catch((error: unknown) => {
    throw openError(error, path);
  });
  if (facts.isFIFO()) {
    yield* fromStream(new Socket({ fd, readable: true, writable: false }), path, run, advance);
    return;
  }
  try {
    if (facts.isFile()) position.of = facts.size;
    position.bytes = from ?? 0;
    yield* fromDescriptor(fd, path, run, advance, from);
  } finally {
    await closeFd(fd);
  }
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
    const inputs = names.filter((name) => /\.(csv|tsv|txt|jsonl|ndjson|json)(\.gz|\.zst)?$/i.test(name));
    throw fileErrors.is_directory(
      { path },
      { details: inputs.length > 0 ? [`it holds ${inputs.slice(0, 5).join(', ')}`] : undefined },
    );
  }
  return facts;
}

/** Throws what aborted the run, as a SluiceError. */
export function stopIfAborted(run: Run): void {
  if (!run.signal.aborted) return;
  const reason: unknown = run.signal.reason;
  throw reason instanceof Sluice ? reason : commandErrors.interrupted.stopped();
}

async function* fromDescriptor(
  fd: number,
  path: string,
  run: Run,
  advance: (bytes: number) => void,
  from?: number,
) {
  // Two buffers in turn: one is parsed while the other is filled.
  let current = Buffer.allocUnsafeSlow(READ_BYTES);
  let other = Buffer.allocUnsafeSlow(READ_BYTES);
  let at = from;
  const fill = (buffer: Buffer) => {
    const reading = readFd(fd, buffer, 0, READ_BYTES, at ?? null);
    reading.catch(() => {});
    return reading;
  };
  let pending = fill(current);
  try {
    for (;;) {
      const { bytesRead } = await pending.catch((error: unknown) => {
        throw fileErrors.read_failed({ path, why: messageOf(error) }, { cause: error });
      });
      stopIfAborted(run);
      if (bytesRead === 0) return;
      advance(bytesRead);
      if (at !== undefined) at += bytesRead;
      pending = fill(other);
      yield current.subarray(0, bytesRead);
      [current, other] = [other, current];
    }
  } finally {
    await pending.catch(() => {});
  }
}

async function* fromStream(stream: Readable, path: string, run: Run, advance: (bytes: number) => void) {
  const stop = () => stream.destroy();
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    // Before there was a listener: while the input was being opened.
    stopIfAborted(run);
    for await (const buffer of stream as AsyncIterable<Buffer>) {
      advance(buffer.length);
      yield buffer;
    }
    stopIfAborted(run);
  } catch (error) {
    stopIfAborted(run);
    throw fileErrors.read_failed(
      { path, shown: path === STDIN ? 'stdin' : path, why: messageOf(error) },
      { cause: error },
    );
  } finally {
    run.signal.removeEventListener('abort', stop);
    stream.destroy();
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
