import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { csv } from '../../../src/sources/csv/index.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { RemoteBytes } from '../../../src/sources/remote/remote-bytes.js';
import { remoteTiming } from '../../../src/sources/remote/retry.js';
import { s3Transport } from '../../../src/sources/remote/s3.js';
import { tempFolder } from '../../support/files.js';
import { bytesOf, numbered } from '../../support/remote.js';
import { rowsOf } from '../../support/run.js';
import { s3Server } from '../../support/s3-server.js';
import { thrown } from '../../support/thrown.js';
import { withoutPackages } from '../../support/without-packages.js';

const never = new AbortController().signal;

async function opened(url: string): Promise<RemoteBytes> {
  const timing = remoteTiming();
  return RemoteBytes.open(await s3Transport(url, timing), timing, never);
}

test('an object is read by its ranges, in the version that was opened', async (t) => {
  const put = await s3Server(t);
  const body = numbered(2 << 20);
  await put('2026/a b+c.csv', body);
  const bytes = await opened('s3://exports/2026/a b+c.csv');
  t.after(() => bytes.close());
  assert.deepEqual([bytes.size, bytes.seekable], [body.length, true]);
  assert.match(bytes.version ?? '', /^etag "[0-9a-f]{32}"$/);
  assert.notEqual(bytes.content, undefined);
  assert.ok((await bytesOf(bytes.read(never))).equals(body));
  assert.deepEqual(
    await bytesOf(bytes.read(never, 1_500_000, 1_500_100)),
    body.subarray(1_500_000, 1_500_100),
  );
  await put('2026/a b+c.csv', Buffer.alloc(2 << 20));
  const error = await thrown(bytesOf(bytes.read(never)));
  assert.equal(error.code, 'changed_while_read');
  assert.match(error.message, /^s3:\/\/exports\/2026\/a b\+c\.csv was changed while it was read/);
});

test('objects are rows, plain and packed, and an empty one is none', async (t) => {
  const put = await s3Server(t);
  await put('a.csv', 'id\n1\n');
  await put('a.csv.gz', gzipSync('id\n1\n'), 'gzip');
  await put('a.jsonl', '{"id":"1"}\n');
  await put('empty.csv', '');
  assert.deepEqual(await rowsOf(csv('s3://exports/a.csv')), [{ id: '1' }]);
  assert.deepEqual(await rowsOf(csv('s3://exports/a.csv.gz')), [{ id: '1' }]);
  assert.deepEqual(await rowsOf(jsonl('s3://exports/a.jsonl')), [{ id: '1' }]);
  assert.equal((await thrown(rowsOf(csv('s3://exports/empty.csv')))).code, 'empty_file');
});

test('what is not there, and who may not, is told', async (t) => {
  await s3Server(t);
  const key = await thrown(opened('s3://exports/nothing.csv'));
  assert.deepEqual([key.code, key.kind], ['url_not_found', 'usage']);
  assert.match(key.message, /NoSuchKey/);
  assert.match((await thrown(opened('s3://elsewhere/a.csv'))).message, /NoSuchBucket/);
  process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
  const denied = await thrown(opened('s3://exports/nothing.csv'));
  assert.equal(denied.code, 'url_denied');
  assert.match(denied.message, /SignatureDoesNotMatch/);
  delete process.env.AWS_SECRET_ACCESS_KEY;
  Object.assign(process.env, { AWS_EC2_METADATA_DISABLED: 'true', HOME: tempFolder(t) });
  const nobody = await thrown(opened('s3://exports/nothing.csv'));
  assert.match(nobody.message, /nobody said who reads/);
  process.env.AWS_ENDPOINT_URL = 'http://localhost:1';
  process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
  assert.equal((await thrown(opened('s3://exports/nothing.csv'))).code, 'input_out_of_reach');
});

test('without the package it is said how to install it', async (t) => {
  const code = `
    const { csv } = await import(process.argv[1]);
    const around = { signal: new AbortController().signal, share: (_, make) => make() };
    await csv('s3://exports/a.csv').bytes(around).catch((error) => console.log(error.code, error.message, error.facts.next));`;
  const said = await withoutPackages(t, ['@aws-sdk'], code);
  assert.match(
    said,
    /^no_s3_client s3:\/\/exports\/a\.csv takes the package @aws-sdk\/client-s3.* not installed npm install @aws-sdk\/client-s3/,
  );
});
