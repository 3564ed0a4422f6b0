import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { textErrors } from '../../core/errors/catalogue/text.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { READ_BYTES } from '../bytes/local.js';
import { unzstd } from '../zstd/index.js';
import { Damage } from './damage.js';
import type { Position } from './raw.js';

/** The compressions that are recognised by their first bytes (RFC 1952, RFC 8878). */
export type Compression = 'gzip' | 'zstd';

/** What the first bytes (4 are enough) say about compression; the name of the file is not asked. */
export function compressionOf(head: Buffer): Compression | undefined {
  if (head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  // A skippable frame, which pzstd writes first.
  if (head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return undefined;
}

/**
 * The bytes inside the compressed `raw`, with backpressure. `position` is where `raw` is, for messages.
 * Throws failed `truncated_input`, `corrupt_input`, `window_too_large` and `cannot_unpack`, saying how far the reading came; what came
 * before it may have been handed on, so that nothing of an input may be published that was not read to its end.
 */
export async function* decompressed(
  kind: Compression,
  raw: AsyncGenerator<Buffer, void>,
  input: string,
  position: Position,
): AsyncGenerator<Buffer, void> {
  let produced = 0;
  try {
    for await (const buffer of kind === 'gzip' ? gunzip(raw) : unzstd(raw)) {
      produced += buffer.length;
      yield buffer;
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw describe(kind, error, input, position, produced);
  } finally {
    await raw.return();
  }
}

/** All members of gzip data, each with its checksum and length verified (RFC 1952). */
async function* gunzip(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  const transform = createGunzip({ chunkSize: READ_BYTES });
  let given = 0;
  // Copies, because a Buffer of `raw` is filled again while the stream still holds it.
  const copies = async function* () {
    for await (const buffer of raw) {
      given += buffer.length;
      yield Buffer.from(buffer);
    }
  };
  const input = Readable.from(copies(), { objectMode: true, highWaterMark: 1 });
  pipeline(input, transform, () => {});
  yield* transform as AsyncIterable<Buffer>;
  // Node is done at a zero byte after a member, and what stands after it, further members too, is not looked at.
  if (transform.bytesWritten < given)
    throw new Damage('corrupt', `the bytes from ${transform.bytesWritten} on are no gzip data`);
}

function describe(kind: Compression, error: unknown, input: string, at: Position, produced: number) {
  const { code, message } = error as { code?: string; message?: string };
  const packed = { input, kind, read: at.bytes, gave: produced };
  switch (howOf(error)) {
    case 'truncated':
      return textErrors.truncated_input(packed, { cause: error });
    case 'too_large':
      return textErrors.window_too_large({ ...packed, why: message }, { cause: error });
    case 'corrupt':
      return textErrors.corrupt_input({ ...packed, why: message ?? code }, { cause: error });
    default:
      return textErrors.cannot_unpack({ ...packed, why: message }, { cause: error });
  }
}

/** What is wrong with the data; undefined where it is not the data's fault. */
function howOf(error: unknown): Damage['how'] | undefined {
  if (error instanceof Damage) return error.how;
  // zlib's own codes.
  const { code = '' } = error as { code?: string };
  return code === 'Z_BUF_ERROR' ? 'truncated' : /^Z_/.test(code) ? 'corrupt' : undefined;
}
