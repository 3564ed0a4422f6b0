import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../src/db/embedded/lock.js';
import { formatIdentity, ownIdentity } from '../../../src/db/embedded/process.js';

function emptyDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

test('only one is under the lock at a time', async (t) => {
  const directory = emptyDirectory(t);
  let inside = 0;
  let done = 0;
  await Promise.all(
    Array.from({ length: 12 }, () =>
      withLock(directory, async () => {
        assert.equal(++inside, 1);
        await sleep(1);
        inside--;
        done++;
      }),
    ),
  );
  assert.equal(done, 12);
});

test('the lock is free after work that failed, and the failure arrives', async (t) => {
  const directory = emptyDirectory(t);
  await assert.rejects(
    withLock(directory, async () => {
      throw new Error('no luck');
    }),
    /no luck/,
  );
  assert.equal(await withLock(directory, async () => 'next'), 'next');
});

test('a holder that is dead holds nothing', async (t) => {
  const directory = emptyDirectory(t);
  writeFileSync(join(directory, '7'), `${process.pid} long ago`);
  assert.equal(await withLock(directory, async () => 'mine', 1_000), 'mine');
});

test('a holder that died before it had written its name holds nothing after a while', async (t) => {
  const directory = emptyDirectory(t);
  writeFileSync(join(directory, '7'), '');
  await assert.rejects(
    withLock(directory, async () => {}, 50),
    { code: 'embedded_lock_timeout' },
  );
  const minuteAgo = Date.now() / 1000 - 60;
  utimesSync(join(directory, '7'), minuteAgo, minuteAgo);
  assert.equal(await withLock(directory, async () => 'mine', 1_000), 'mine');
});

test('a living holder is waited for, and named when it takes too long', async (t) => {
  const directory = emptyDirectory(t);
  writeFileSync(join(directory, '1'), formatIdentity(ownIdentity()));
  await assert.rejects(
    withLock(directory, async () => {}, 50),
    (error: Error & { code: string; facts: { details: string[] } }) => {
      assert.equal(error.code, 'embedded_lock_timeout');
      assert.match(error.facts.details.join(), new RegExp(`process ${process.pid}`));
      return true;
    },
  );
});

test('many turns leave few files', async (t) => {
  const directory = emptyDirectory(t);
  for (let turn = 0; turn < 60; turn++) await withLock(directory, async () => {});
  assert.ok(readdirSync(directory).length < 25);
});
