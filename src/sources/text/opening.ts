import { setTimeout as sleep } from 'node:timers/promises';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import type { Run } from '../../core/run.js';
import { displayName, openBytes } from '../bytes/open.js';
import { stopIfAborted } from '../bytes/stop.js';
import { compressionOf, decompressed } from './decompress.js';
import { isUtf8Name, notText, SNIFF_BYTES, toUtf8 } from './encoding.js';
import type { OpenOptions } from './open-options.js';
import { fromBytes, type Position, readOnce } from './raw.js';

/**
 * The text of a file, FIFO or stdin (`-`), unpacked if it is gzip or zstd (told by its first bytes, not by
 * its name), as UTF-8 bytes: checked to look like text, not yet to be valid UTF-8; a byte order mark is
 * still there when the input is UTF-8. Pulled, so a slow reader slows the disk. A Buffer is the caller's
 * only until the next one is asked for; the first is at least 8 KiB, the whole input, or what has come of a pipe that
 * pauses after a line. Releases the file when the reader stops early.
 *
 * Throws what `rawBytes`, `decompressed` and `toUtf8` throw, refused `empty_file`, `binary_file`,
 * `utf16_input`.
 */
export async function* openText(
  path: string,
  run: Run,
  options: OpenOptions = {},
): AsyncGenerator<Buffer, void> {
  if (options.opened !== undefined) {
    yield* options.opened;
    return;
  }
  const input = displayName(path);
  const position: Position = { bytes: 0, of: undefined };
  const transcode = options.encoding !== undefined && !isUtf8Name(options.encoding);
  // Whoever stops reading while a pipe pauses does not wait for it.
  const stop = new AbortController();
  const signal = AbortSignal.any([run.signal, stop.signal]);
  stopIfAborted(run);
  const source = await openBytes(path, run);
  const its: Run = Object.create(run, { signal: { value: signal } });
  const raw = withHead(
    source === undefined ? readOnce(path, its, position) : fromBytes(source, its, position),
    4,
    stop,
  );
  try {
    const first = await raw.next();
    if (first.done) throw emptyFile(input);
    const compression = compressionOf(first.value);
    const all = startingWith(first.value, raw);
    const once = compression === undefined ? all : decompressed(compression, all, input, position);
    const bytes = source?.encoded === true ? unpackedAgain(once, input, position, stop) : once;
    if (transcode) {
      yield* nonEmpty(withHead(toUtf8(bytes, options.encoding as string, input), SNIFF_BYTES, stop), input);
      return;
    }
    const text = withHead(bytes, SNIFF_BYTES, stop);
    const head = await text.next();
    if (head.done) throw emptyFile(input);
    const wrong = notText(head.value, input, source !== undefined && source.path === undefined);
    if (wrong !== undefined) {
      await text.return();
      throw wrong;
    }
    yield head.value;
    yield* text;
  } finally {
    await raw.return();
  }
}

/** What was packed on its way may be a packed file, too. */
async function* unpackedAgain(
  bytes: AsyncGenerator<Buffer, void>,
  input: string,
  position: Position,
  stop: AbortController,
): AsyncGenerator<Buffer, void> {
  const text = withHead(bytes, 4, stop);
  const first = await text.next();
  if (first.done) return;
  const compression = compressionOf(first.value);
  const all = startingWith(first.value, text);
  yield* compression === undefined ? all : decompressed(compression, all, input, position);
}

/** How long more of a beginning is waited for that has a line in it: whoever writes a pipe may take their time. */
const PAUSE_MS = 200;

/**
 * The same bytes, the first Buffer grown to `bytes` as far as the input goes, or until no more comes for a moment and it
 * has a whole line.
 */
async function* withHead(
  source: AsyncGenerator<Buffer, void>,
  bytes: number,
  stop: AbortController,
): AsyncGenerator<Buffer, void> {
  let head: Buffer = Buffer.alloc(0);
  let next = source.next();
  try {
    while (head.length < bytes) {
      const got = hasLine(head) ? await orPause(next) : await next;
      if (got === undefined) break;
      if (got.done === true) {
        if (head.length > 0) yield head;
        return;
      }
      if (head.length === 0 && got.value.length >= bytes) {
        yield got.value;
        yield* source;
        return;
      }
      head = Buffer.concat([head, got.value]);
      next = source.next();
    }
    yield head;
    const { done, value } = await next;
    if (done === true) return;
    yield value;
    yield* source;
  } finally {
    next.catch(() => {});
    stop.abort();
    await source.return();
  }
}

const hasLine = (head: Buffer) => head.includes(10) || head.includes(13);

/** What `next` gives, or undefined where it takes longer than a moment. */
async function orPause<T>(next: Promise<T>): Promise<T | undefined> {
  const over = new AbortController();
  const pause = sleep(PAUSE_MS, undefined, { signal: over.signal }).catch(() => undefined);
  try {
    return await Promise.race([next, pause]);
  } finally {
    over.abort();
  }
}

/** `first`, and what `rest` goes on with. Releases `rest` when the reader stops early. */
export async function* startingWith(
  first: Buffer,
  rest: AsyncGenerator<Buffer, void>,
): AsyncGenerator<Buffer, void> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function* nonEmpty(source: AsyncIterable<Buffer>, input: string): AsyncGenerator<Buffer, void> {
  let empty = true;
  for await (const buffer of source) {
    empty = false;
    yield buffer;
  }
  if (empty) throw emptyFile(input);
}

const emptyFile = (input: string) => fileErrors.empty_file.text({ input });
