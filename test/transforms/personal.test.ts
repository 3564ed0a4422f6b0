import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { originOf } from '../../src/core/row.js';
import { hash, redact } from '../../transforms/index.js';
import { inScratch } from '../support/files.js';

const SECRET = '0123456789abcdef0123456789abcdef';
const people = [
  { id: '1', email: 'ann@example.org', phone: '5551234711' },
  { id: '2', email: 'ann@example.org', phone: null },
  { id: '3', email: 'b', phone: '47' },
];

test('hash makes the HMAC of each value: equal ones stay equal, NULL stays NULL, the other columns stay', async (t) => {
  process.env.SLUICE_TEST_HASH_KEY = SECRET;
  t.after(() => delete process.env.SLUICE_TEST_HASH_KEY);
  const ran = await testStage(
    hash({ columns: ['email', 'phone'], key: { env: 'SLUICE_TEST_HASH_KEY' } }),
    people,
  );
  const of = (text: string) => createHmac('sha256', SECRET).update(text).digest('hex');
  assert.deepEqual(
    ran.rows.map(({ id, email, phone }) => [id, email, phone]),
    [
      ['1', of('ann@example.org'), of('5551234711')],
      ['2', of('ann@example.org'), null],
      ['3', of('b'), of('47')],
    ],
  );
  assert.deepEqual(ran.rows.map(originOf), [1, 2, 3]);
});

test('the key may be a file, whose last line break is none of it; without one, or with a short one, it is refused', async () => {
  await inScratch(async (folder) => {
    const file = join(folder, 'key');
    const by = { columns: ['email'], key: { file } } as const;
    const missing = await testStage(hash(by), people).then(
      () => '',
      (error: { code?: string }) => error.code,
    );
    assert.equal(missing, 'no_hash_key');
    await writeFile(file, 'short\n');
    await assert.rejects(testStage(hash(by), people), { code: 'no_hash_key', message: /has 5 bytes/ });
    await writeFile(file, `${SECRET}\r\n`);
    const ran = await testStage(hash(by), people);
    assert.equal(ran.rows[2]?.email, createHmac('sha256', SECRET).update('b').digest('hex'));
    await rm(file);
  });
});

test('redact hides values, but for the last characters where they are long enough', async () => {
  const ran = await testStage(redact({ columns: ['email', 'phone'], keepLast: 4 }), people);
  assert.deepEqual(
    ran.rows.map(({ email, phone }) => [email, phone]),
    [
      ['***.org', '***4711'],
      ['***.org', null],
      ['***', '***'],
    ],
  );
});

test('both may be loaded in parts: nothing is remembered from one chunk to the next', () => {
  assert.equal(hash({ columns: ['a'], key: { env: 'X' } }).stateless, true);
  assert.equal(redact({ columns: ['a'] }).stateless, true);
});
