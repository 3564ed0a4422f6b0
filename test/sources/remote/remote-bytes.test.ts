import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartPlace } from '../../../src/core/parts.js';
import { csv } from '../../../src/sources/csv/index.js';
import { HEAD_BYTES } from '../../../src/sources/remote/remote-bytes.js';
import { httpServer } from '../../support/http-server.js';
import { bytesOf, numbered, openUrl, QUICK } from '../../support/remote.js';
import { testRun } from '../../support/run.js';
import { thrown } from '../../support/thrown.js';

const never = new AbortController().signal;
const BIG = numbered(3 << 20);

test('a place is read by its range, in the version that was opened', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: BIG, etag: '"v1"', modified: 'Sun, 01 Nov 2026 10:00:00 GMT' });
  const bytes = await openUrl(`${server.origin}/a`);
  assert.deepEqual(
    [bytes.size, bytes.seekable, bytes.modified, bytes.version],
    [BIG.length, true, '2026-11-01T10:00:00.000Z', 'etag "v1"'],
  );
  assert.deepEqual(
    await bytesOf(bytes.read(never, 1_000_000, 1_000_500)),
    BIG.subarray(1_000_000, 1_000_500),
  );
  assert.deepEqual(await bytesOf(bytes.read(never)), BIG);
  // What was read when it was opened is not asked for again.
  assert.deepEqual(await bytesOf(bytes.read(never, 5, 10)), BIG.subarray(5, 10));
  assert.deepEqual(await bytesOf(bytes.read(never, BIG.length - 3, BIG.length + 99)), BIG.subarray(-3));
  assert.deepEqual(
    server.came.map(({ range, headers }) => [range, headers['if-match'], headers['accept-encoding']]),
    [
      [`bytes=0-${HEAD_BYTES - 1}`, undefined, 'identity'],
      ['bytes=1000000-1000499', '"v1"', 'identity'],
      [`bytes=${HEAD_BYTES}-`, '"v1"', 'identity'],
      [`bytes=${BIG.length - 3}-`, '"v1"', 'identity'],
    ],
  );
  bytes.close();
});

test('what breaks off is gone on with at the byte', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: BIG, etag: '"v1"' });
  server.fault = (_, number) =>
    number === 2 ? { cutAfter: 700_000 } : number === 3 ? { stallAfter: 100_000 } : undefined;
  const bytes = await openUrl(`${server.origin}/a`);
  assert.ok((await bytesOf(bytes.read(never))).equals(BIG));
  const from = server.came.slice(1).map(({ range }) => Number(/=(\d+)-$/.exec(range ?? '')?.[1]));
  assert.equal(from.length, 3);
  const [first, second, third] = from as [number, number, number];
  assert.equal(first, HEAD_BYTES);
  // What was on its way when the connection was cut may be lost; nothing before it is asked for again.
  assert.ok(second > first && second <= first + 700_000, String(second));
  assert.equal(third, second + 100_000);
});

test('an answer that is not now is asked for again, when the server wants it', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: 'id\n1\n', etag: '"v1"' });
  const not = [{ status: 503 }, { status: 429, headers: { 'retry-after': '1' } }, { status: 500 }];
  server.fault = (_, number) => not[number - 1];
  const since = performance.now();
  assert.equal(String(await bytesOf((await openUrl(`${server.origin}/a`)).read(never))), 'id\n1\n');
  assert.ok(performance.now() - since >= 1_000);
  assert.equal(server.came.length, 4);

  server.fault = () => ({ status: 503 });
  const error = await thrown(openUrl(`${server.origin}/a`));
  assert.match(error.message, /cannot be read on from byte 0: the server says 503 .*\(tried 5 times\)/);
  assert.equal(error.code, 'input_out_of_reach');
  server.fault = () => ({ status: 429, headers: { 'retry-after': '3600' } });
  assert.match((await thrown(openUrl(`${server.origin}/a`))).message, /does not want to be asked for 3600 s/);
});

test('another version in mid-read is refused by what differs, whether or not the server hears If-Match', async (t) => {
  for (const preconditions of [true, false]) {
    const server = await httpServer(t);
    server.files.set('/a', { body: BIG, etag: '"v1"', preconditions });
    const bytes = await openUrl(`${server.origin}/a`);
    server.fault = (_, number) => (number === 2 ? { cutAfter: 300_000 } : undefined);
    let read = 0;
    const error = await thrown(
      (async () => {
        for await (const buffer of bytes.read(never)) {
          read += buffer.length;
          server.files.set('/a', { body: Buffer.alloc(BIG.length), etag: '"v2"', preconditions });
        }
      })(),
    );
    assert.equal(error.code, 'changed_while_read');
    assert.equal(error.kind, 'refused');
    assert.match(
      error.message,
      preconditions ? /it had ETag "v1".* another version/ : /ETag "v1".*has ETag "v2"/,
    );
    // Nothing of the other version was given.
    assert.ok(read <= HEAD_BYTES + 300_000 && error.facts.offset === read);
  }
});

test('by its time and size a version is known where it has no ETag', async (t) => {
  const server = await httpServer(t);
  const modified = 'Sun, 01 Nov 2026 10:00:00 GMT';
  server.files.set('/a', { body: BIG, modified });
  const bytes = await openUrl(`${server.origin}/a`);
  // A time can be set, and says nothing of the second it is.
  assert.deepEqual([bytes.version, bytes.content], [undefined, undefined]);
  server.fault = (_, number) => (number === 2 ? { cutAfter: 300_000 } : undefined);
  assert.ok((await bytesOf(bytes.read(never))).equals(BIG));
  assert.equal(server.came.at(-1)?.headers['if-unmodified-since'], modified);
  server.files.set('/a', { body: BIG, modified: 'Sun, 01 Nov 2026 10:00:01 GMT' });
  assert.equal((await thrown(bytesOf(bytes.read(never)))).code, 'changed_while_read');
  server.files.set('/a', { body: BIG.subarray(1), modified });
  assert.match((await thrown(bytesOf(bytes.read(never)))).message, /3145728 bytes, and has .*3145727 bytes/);
});

test('a server without ranges is read in one piece, and from its beginning where that breaks off', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: BIG, ranges: false, etag: '"v1"' });
  const bytes = await openUrl(`${server.origin}/a`);
  assert.deepEqual([bytes.size, bytes.seekable], [BIG.length, false]);
  server.fault = (_, number) => (number === 2 ? { cutAfter: 700_000 } : undefined);
  assert.ok((await bytesOf(bytes.read(never))).equals(BIG));
  assert.equal(server.came.length, 3);

  // Nothing tells what comes next from what came before.
  server.files.set('/a', { body: BIG, ranges: false, length: false });
  const unknown = await openUrl(`${server.origin}/a`);
  assert.equal(unknown.size, undefined);
  assert.ok((await bytesOf(unknown.read(never))).equals(BIG));
  const next = server.came.length + 1;
  server.fault = (_, number) => (number === next ? { cutAfter: 700_000 } : undefined);
  assert.match(
    (await thrown(bytesOf(unknown.read(never)))).message,
    /gives nothing to know its next answer by/,
  );
});

test('what is said to be longer than it is, is not taken for whole', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: numbered(1000), ranges: false, etag: '"v1"' });
  server.fault = () => ({ promise: 10 });
  assert.match((await thrown(openUrl(`${server.origin}/a`))).message, /cannot be read on from byte 0/);
  server.files.set('/a', { body: BIG, ranges: false, etag: '"v1"' });
  const bytes = await openUrl(`${server.origin}/a`);
  const error = await thrown(bytesOf(bytes.read(never)));
  assert.match(error.message, new RegExp(`cannot be read on from byte ${BIG.length}: .*tried 5 times`));
});

test('nothing at all is an empty input', async (t) => {
  const server = await httpServer(t);
  for (const ranges of [true, false]) {
    server.files.set('/a', { body: '', etag: '"v1"', ranges });
    const bytes = await openUrl(`${server.origin}/a`);
    assert.equal(bytes.size, 0);
    assert.deepEqual(await bytesOf(bytes.read(never)), Buffer.alloc(0));
  }
});

test('a reader that is slow is not taken for a server that is', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: BIG, etag: '"v1"' });
  const bytes = await openUrl(`${server.origin}/a`);
  let read = 0;
  for await (const buffer of bytes.read(never)) {
    if (read < HEAD_BYTES + 100_000 && read > HEAD_BYTES)
      await new Promise((resolve) => setTimeout(resolve, QUICK.idleMs * 2));
    read += buffer.length;
  }
  assert.equal(read, BIG.length);
  assert.equal(server.came.length, 2);
});

test('a reading that is stopped lets go of the connection at once', async (t) => {
  const server = await httpServer(t);
  server.files.set('/a', { body: Buffer.alloc(64 << 20), etag: '"v1"' });
  const bytes = await openUrl(`${server.origin}/a`);
  for await (const _ of bytes.read(never, 1 << 20)) break;
  const stop = new AbortController();
  const error = await thrown(
    (async () => {
      for await (const _ of bytes.read(stop.signal, 1 << 20)) stop.abort();
    })(),
  );
  assert.equal(error.kind, 'interrupted');
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const { sent } of server.came.slice(1)) assert.ok(sent < 20 << 20, `${sent} bytes were sent`);
});

test('who reads a part elsewhere reads it by its range, of the version that was cut', async (t) => {
  const server = await httpServer(t);
  const text = `id,name\n${Array.from({ length: 100_000 }, (_, at) => `${at},pet ${at}\n`).join('')}`;
  server.files.set('/a.csv', { body: text, etag: '"v1"' });
  const source = csv(`${server.origin}/a.csv`);
  const cut = await source.cut?.(testRun(), { known: [], partBytes: 400_000 });
  assert.ok(cut !== undefined && !('rows' in cut) && cut.byPlace);
  const places: PartPlace[] = [];
  for await (const { start, end, line, lines } of cut.parts()) places.push({ start, end, line, lines });
  const told = JSON.parse(JSON.stringify(cut.opening));
  const before = server.came.length;
  const reader = await source.partReader?.(testRun(), told);
  const place = places.at(-1) as PartPlace;
  const part = await reader?.part(place);
  assert.equal(String(part?.bytes), text.slice(place.start));
  assert.deepEqual(
    server.came.slice(before).map(({ range }) => range),
    [`bytes=0-${HEAD_BYTES - 1}`, `bytes=${place.start}-`],
  );
  server.files.set('/a.csv', { body: text, etag: '"v2"' });
  const late = await source.partReader?.(testRun(), told);
  assert.equal((await thrown(late?.part(place) as Promise<unknown>)).code, 'changed_while_read');
});
