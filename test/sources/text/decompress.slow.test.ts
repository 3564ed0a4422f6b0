import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { csv } from '../../../src/sources/csv/index.js';
import { type Compression, decompressed } from '../../../src/sources/text/decompress.js';
import { tempFile } from '../../support/files.js';
import { rowsOf } from '../../support/run.js';

const TEXT =
  'id,name,at\n1,Ünï,2024-03-01\n2,b b b b b b b b b b b b,2024-03-01\n3,c,2024-03-02\n4,d,2024-03-02\n5,"e, e",2024-03-02\n6,b b b b b b b b b b,2024-03-01\n';
const MORE = '7,g,2024-03-03\n';
/** TEXT and MORE by zstd 1.5: packed blocks, each frame with its checksum; LONG with a window of 128 MiB. */
const PACKED = Buffer.from(
  'KLUv/SSWPQIARANpZCxuYW1lLGF0CjEsw5xuw68sMjAyNC0wMy0wMQoyLGIgMyxjMgo0LGQ1LCJlLCBlIjYsBgBWaPBNjgOuZW6DFAfU555mv6OI',
  'base64',
);
const PACKED_MORE = Buffer.from('KLUv/QRYeQAANyxnLDIwMjQtMDMtMDMKdASH6Q==', 'base64');
const LONG = Buffer.from(
  'KLUv/QSIXQIAVANpZCxuYW1lLGF0CjEsw5xuw68sMjAyNC0wMy0wMQoyLGIgMyxjMgo0LGQ1LCJlLCBlIjYxCgcARDfQAn2N4jjgWuY2SHFAfe4JZr+jiA==',
  'base64',
);
/** A frame for a program other than the decoder: RFC 8878, 3.1.2. */
const SKIPPABLE = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 0x28, 0xb5, 0x2f]);
/** The header of a frame with this window, and an empty last block. */
const frame = (windowDescriptor: number) =>
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, windowDescriptor, 1, 0, 0]);

/** What is unpacked, or the code of the error; `pieces`: as many bytes are read at a time. */
async function unpacked(kind: Compression, bytes: Buffer, pieces = 1 << 16): Promise<string> {
  const raw = async function* () {
    // One Buffer for all of them, as a reader of files has.
    const buffer = Buffer.alloc(pieces);
    for (let at = 0; at < bytes.length; at += pieces)
      yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + pieces));
  };
  const out: Buffer[] = [];
  try {
    for await (const buffer of decompressed(kind, raw(), 'f', { bytes: 0, of: undefined }))
      out.push(Buffer.from(buffer));
    return Buffer.concat(out).toString();
  } catch (error) {
    return (error as SluiceError).code;
  }
}

/** A copy with this bit of this byte the other way round. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ (1 << ((at * 5) % 8));
  return copy;
}

test('every frame of zstd data is unpacked, however the data are read, and skippable ones are skipped', async () => {
  const two = Buffer.concat([SKIPPABLE, PACKED, SKIPPABLE, PACKED_MORE, SKIPPABLE]);
  for (const pieces of [1, 7, 1 << 16]) assert.equal(await unpacked('zstd', two, pieces), TEXT + MORE);
  assert.equal(await unpacked('zstd', LONG), TEXT);
});

test('zstd data that were changed are an error, wherever it is, or are what they were', async () => {
  const whole = Buffer.concat([PACKED, PACKED_MORE]);
  // A thread is started for each.
  for (let at = 0; at < whole.length; at += 4) {
    const found = await unpacked('zstd', flipped(whole, at));
    assert.ok(
      found === TEXT + MORE || ['corrupt_input', 'truncated_input', 'window_too_large'].includes(found),
      `byte ${at}: ${found}`,
    );
  }
  const sum = Buffer.from(PACKED);
  sum[sum.length - 1] = 0;
  await assert.rejects(async () => {
    for await (const _ of decompressed('zstd', bytesOf(sum), 'f', { bytes: 84, of: 84 }));
  }, /f: the zstd data are damaged \(its text does not have the checksum that stands at byte 80\)/);
});

async function* bytesOf(bytes: Buffer): AsyncGenerator<Buffer, void> {
  yield bytes;
}

test('zstd data that end too early are an error, in the first frame and in a later one', async () => {
  const whole = Buffer.concat([SKIPPABLE, PACKED, PACKED_MORE]);
  const ends = [SKIPPABLE.length, SKIPPABLE.length + PACKED.length];
  for (let cut = 1; cut < whole.length; cut += 3)
    if (!ends.includes(cut))
      assert.equal(await unpacked('zstd', whole.subarray(0, cut)), 'truncated_input', `cut at ${cut}`);
});

test('what stands behind packed data and is none is an error, zeros too', async () => {
  for (const behind of [Buffer.alloc(10), Buffer.from('more text')]) {
    assert.equal(await unpacked('zstd', Buffer.concat([PACKED, behind])), 'corrupt_input');
    for (const pieces of [1, 1 << 16])
      assert.equal(await unpacked('gzip', Buffer.concat([gzipSync(TEXT), behind]), pieces), 'corrupt_input');
  }
  const hole = Buffer.concat([gzipSync(TEXT), Buffer.alloc(10), gzipSync(MORE)]);
  assert.equal(await unpacked('gzip', hole), 'corrupt_input');
});

test('a window beyond 128 MiB is refused before memory is taken for it', async () => {
  const before = process.memoryUsage().rss;
  assert.equal(await unpacked('zstd', frame(17 << 3)), '');
  for (const descriptor of [(17 << 3) + 1, 20 << 3, 31 << 3])
    assert.equal(await unpacked('zstd', frame(descriptor)), 'window_too_large');
  assert.ok(process.memoryUsage().rss - before < 200e6);
  // A frame of one segment has no window but its size.
  const segment = Buffer.alloc(18);
  segment.writeUInt32LE(0xfd2fb528);
  segment[4] = 0xe0;
  segment.writeBigUInt64LE(2n ** 40n, 5);
  assert.equal(await unpacked('zstd', segment), 'window_too_large');
});

test('gzip data that were changed or cut are an error, or are what they were', async () => {
  const whole = Buffer.concat([gzipSync(TEXT), gzipSync(MORE)]);
  const end = gzipSync(TEXT).length;
  for (const at of whole.keys()) {
    const found = await unpacked('gzip', flipped(whole, at));
    assert.ok(
      found === TEXT + MORE || found === 'corrupt_input' || found === 'truncated_input',
      `byte ${at}: ${found}`,
    );
    if (at > 0 && at !== end)
      assert.equal(await unpacked('gzip', whole.subarray(0, at)), 'truncated_input', `cut at ${at}`);
  }
});

test('a file of which the first bytes were changed is not read as text', async (t) => {
  for (const packed of [PACKED, gzipSync(TEXT)])
    for (const at of [0, 1, 2, 3])
      await assert.rejects(
        rowsOf(csv(tempFile(t, 'a.csv', flipped(packed, at)))),
        (error: SluiceError) => error.code !== undefined,
        `byte ${at}`,
      );
});
