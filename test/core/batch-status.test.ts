import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchStatus, reachableFrom } from '../../src/core/batch-status.js';

const STATES: readonly BatchStatus[] = ['pending', 'running', 'staged', 'completed', 'failed', 'rolled_back'];

test('these moves are legal and no others', () => {
  const legal = STATES.flatMap((from) =>
    STATES.filter((to) => reachableFrom(to).includes(from)).map((to) => `${from} → ${to}`),
  );
  assert.deepEqual(legal, [
    'pending → running',
    'pending → failed',
    'running → running',
    'running → staged',
    'running → completed',
    'running → failed',
    'staged → completed',
    'staged → failed',
    'staged → rolled_back',
    'completed → rolled_back',
    'failed → running',
  ]);
});

test('nothing leads out of a rollback, and out of a failure only going on', () => {
  for (const to of STATES) {
    assert.equal(reachableFrom(to).includes('failed'), to === 'running');
    assert.ok(!reachableFrom(to).includes('rolled_back'));
  }
});
