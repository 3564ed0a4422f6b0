import { close, constants, fstat } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { isMainThread } from 'node:worker_threads';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import type { InputBytes } from '../../core/input-bytes.js';
import type { Run } from '../../core/run.js';
import { descriptorOf, fromDescriptor, statInput } from '../bytes/local.js';
import { displayName, openBytes, STDIN } from '../bytes/open.js';
import { stopIfAborted } from '../bytes/stop.js';

const closeFd = promisify(close);
const statFd = promisify(fstat);

let stdinTaken = false;

/** How far the reading is, in bytes as they lie on the disk; `of` is undefined where nobody knows the end. */
export interface Position {
  bytes: number;
  of: number | undefined;
}

/**
 * The bytes of a file, FIFO, device or stdin (`-`), as they are. A Buffer is the caller's only until the
 * next one is asked for. `position` is kept up to date and told to `run.progress`. Heeds `run.signal`;
 * closes the file when the reader stops early. `from`: the byte of what can be read from anywhere to begin at.
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
  stopIfAborted(run);
  const bytes = await openBytes(path, run);
  yield* bytes === undefined ? readOnce(path, run, position) : fromBytes(bytes, run, position, from);
}

/** The same of bytes that are open, from the byte `from` on. */
export async function* fromBytes(
  bytes: InputBytes,
  run: Run,
  position: Position,
  from = 0,
): AsyncGenerator<Buffer, void> {
  position.of = bytes.size;
  position.bytes = from;
  for await (const buffer of bytes.read(run.signal, from)) {
    advance(run, position, buffer.length);
    yield buffer;
  }
}

/** The bytes of stdin, a FIFO or a device. */
export async function* readOnce(path: string, run: Run, position: Position): AsyncGenerator<Buffer, void> {
  const counted = async function* (buffers: AsyncIterable<Buffer>) {
    for await (const buffer of buffers) {
      advance(run, position, buffer.length);
      yield buffer;
    }
  };
  if (path === STDIN) {
    // What other threads have in its place is empty.
    if (!isMainThread) throw fileErrors.stdin_in_thread();
    if (stdinTaken) {
      throw fileErrors.stdin_already_read({ input: STDIN, shown: 'stdin' });
    }
    stdinTaken = true;
    const facts = await statFd(0);
    if (facts.isFile()) {
      position.of = facts.size;
      yield* counted(fromDescriptor(0, path, run.signal));
    } else {
      yield* counted(fromStream(process.stdin, path, run));
    }
    return;
  }
  // A FIFO opened the plain way blocks a thread of the pool until a writer comes, and no signal ends that.
  const isFifo = (await statInput(path)).isFIFO();
  const fd = await descriptorOf(
    path,
    isFifo ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY,
  );
  if (isFifo) yield* counted(fromStream(new Socket({ fd, readable: true, writable: false }), path, run));
  else yield* counted(fromDevice(fd, path, run));
}

async function* fromDevice(fd: number, path: string, run: Run) {
  try {
    yield* fromDescriptor(fd, path, run.signal);
  } finally {
    await closeFd(fd);
  }
}

async function* fromStream(stream: Readable, path: string, run: Run) {
  const stop = () => stream.destroy();
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    // Before there was a listener: while the input was being opened.
    stopIfAborted(run);
    for await (const buffer of stream as AsyncIterable<Buffer>) yield buffer;
    stopIfAborted(run);
  } catch (error) {
    stopIfAborted(run);
    const why = error instanceof Error ? error.message : String(error);
    throw fileErrors.read_failed({ path, shown: displayName(path), why }, { cause: error });
  } finally {
    run.signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}

function advance(run: Run, position: Position, bytes: number): void {
  position.bytes += bytes;
  run.progress(position.of === undefined ? { bytes: position.bytes } : { ...position, of: position.of });
}
