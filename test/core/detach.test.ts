import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { detachString } from '../../src/core/detach.js';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc') as () => void;

/** Bytes of heap that stay in use for each of 50 strings cut from texts of 200 kB. */
function retained(keep: (text: string) => string): number {
  gc();
  const before = process.memoryUsage().heapUsed;
  const kept: string[] = [];
  for (let i = 0; i < 50; i++) {
    const text = Buffer.alloc(200_000, `key number ${i} and the rest of a chunk `).toString();
    kept.push(keep(text.slice(1000, 1030)));
  }
  gc();
  const after = process.memoryUsage().heapUsed;
  assert.equal(kept.length, 50);
  return (after - before) / 50;
}

test('a kept slice holds its whole chunk in memory, an owned one does not', () => {
  assert.ok(
    retained((text) => text) > 150_000,
    'slices no longer hold their text: detachString() may be needless',
  );
  assert.ok(retained(detachString) < 20_000);
});

test('an owned string is the same to the code unit', () => {
  for (const text of [
    '',
    'short',
    'WF-KR-251120N-003',
    'ñandú ñandú ñandú',
    'emoji 😀 and more text',
    'lone \ud800 surrogate kept',
    '\0'.repeat(20),
  ]) {
    assert.equal(detachString(text), text);
  }
});
