import { open } from 'node:fs/promises';
import type { Bookmark } from '../../core/bookmark.js';
import type { Run } from '../../core/run.js';
import { compressionOf } from './decompress.js';
import { type OpenOptions, openText } from './opening.js';
import { rawBytes, STDIN, statInput } from './raw.js';

/** A place in a file of text: its byte, and the line that starts there. */
export interface FilePlace extends Bookmark {
  readonly offset: number;
}

/** The text of the file at `path` as UTF-8 bytes: all of it, or from a place that one of its readings has told. */
export function textFrom(
  path: string,
  run: Run,
  options: OpenOptions,
  from?: FilePlace,
): AsyncGenerator<Buffer, void> {
  if (from === undefined) return openText(path, run, options);
  return rawBytes(path, run, { bytes: 0, of: undefined }, from.offset);
}

/** Whether such an input could be read on from the middle, as far as can be told without opening it. */
export function maySeek(path: string, { encoding }: OpenOptions): boolean {
  // A label that nobody knows is for the reading to refuse.
  return path !== STDIN && (encoding === undefined || /^utf-?8$/i.test(encoding));
}

/**
 * Whether places in the text of the file at `path` are places in the file: a regular file, not compressed, whose
 * encoding is its own. What cannot be opened cannot be seeked in.
 */
export async function canSeek(path: string, options: OpenOptions): Promise<boolean> {
  if (!maySeek(path, options) || !(await statInput(path)).isFile()) return false;
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return compressionOf(buffer.subarray(0, bytesRead)) === undefined;
  } finally {
    await file.close();
  }
}
