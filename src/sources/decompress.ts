import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { failed, SluiceError } from '../core/errors.js';
import { type Position, READ_BYTES } from './raw.js';

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
 * Throws failed `truncated_input` and `corrupt_input`, saying how far the reading came.
 */
export async function* decompressed(
  kind: Compression,
  raw: AsyncGenerator<Buffer, void>,
  input: string,
  position: Position,
): AsyncGenerator<Buffer, void> {
  let produced = 0;
  try {
    const native = kind === 'gzip' ? zlib.createGunzip({ chunkSize: READ_BYTES }) : nativeZstd();
    for await (const buffer of native === undefined ? zstd(raw) : through(native, raw)) {
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

/** zlib's own zstd, which Node has from 22.15 on; the types are those of Node 20. */
function nativeZstd(): Transform | undefined {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Transform };
  return createZstdDecompress?.({ chunkSize: READ_BYTES });
}

async function* through(transform: Transform, raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  // Copies, because a Buffer of `raw` is filled again while the stream still holds it.
  const copies = async function* () {
    for await (const buffer of raw) yield Buffer.from(buffer);
  };
  const input = Readable.from(copies(), { objectMode: true, highWaterMark: 1 });
  pipeline(input, transform, () => {});
  yield* transform as AsyncIterable<Buffer>;
}

/** As many compressed bytes as fzstd gets at a time: it hands out everything they hold in one go. */
const ZSTD_BYTES = 16 * 1024;

async function* zstd(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  // Loaded by those alone who need it.
  const { Decompress } = await import('fzstd');
  let ready: Uint8Array[] = [];
  const decoder = new Decompress((data) => ready.push(data));
  const drained = () => {
    const buffers = ready.filter((data) => data.length > 0).map(asBuffer);
    ready = [];
    return buffers;
  };
  for await (const buffer of raw) {
    for (let at = 0; at < buffer.length; at += ZSTD_BYTES) {
      // A copy, because the decoder keeps what it cannot use yet.
      decoder.push(Uint8Array.prototype.slice.call(buffer, at, at + ZSTD_BYTES));
      yield* drained();
    }
  }
  decoder.push(new Uint8Array(0), true);
  yield* drained();
}

const asBuffer = (data: Uint8Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

function describe(kind: Compression, error: unknown, input: string, at: Position, produced: number) {
  const { code, message } = error as { code?: unknown; message?: string };
  // zlib: Z_BUF_ERROR; fzstd: 5 is UnexpectedEOF; Node's zstd: ZSTD_error_srcSize_wrong or Z_BUF_ERROR.
  const truncated = code === 'Z_BUF_ERROR' || code === 5 || code === 'ZSTD_error_srcSize_wrong';
  const read = `${at.bytes} bytes of it gave ${produced} bytes of text`;
  return truncated
    ? failed('truncated_input', `${input}: the ${kind} data end too early: ${read}`, {
        input,
        offset: at.bytes,
        next: `fetch or write the file again, then test it: ${kind === 'gzip' ? 'gzip' : 'zstd'} -t`,
        cause: error,
      })
    : failed('corrupt_input', `${input}: the ${kind} data are damaged (${message ?? code}): ${read}`, {
        input,
        offset: at.bytes,
        next: `fetch or write the file again, then test it: ${kind === 'gzip' ? 'gzip' : 'zstd'} -t`,
        cause: error,
      });
}
