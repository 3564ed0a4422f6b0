import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionName } from '../../src/db/dial.js';

test('a session is called what it is for, behind what the user calls the application', () => {
  assert.equal(sessionName(undefined, 'sluice control'), 'sluice control');
  assert.equal(sessionName('nightly', 'sluice control'), 'nightly: sluice control');
});

test('where the server would cut the name, it is the user’s part that is cut: ours is asked for', () => {
  const ours = 'sluice worker 2147483646 batch 17 worker';
  const name = sessionName('a'.repeat(80), ours);
  assert.equal(name, `${'a'.repeat(21)}: ${ours}`);
  assert.equal(Buffer.byteLength(name), 63);
  assert.equal(Buffer.byteLength(sessionName('ñ'.repeat(80), ours)), 63);
  assert.equal(sessionName('nightly', 'x'.repeat(62)), 'x'.repeat(62));
  assert.equal(sessionName('nightly', 'x'.repeat(70)), 'x'.repeat(63));
});
