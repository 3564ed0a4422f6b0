import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { testStage } from 'sluice/testing';
import { originOf } from '../../src/core/row.js';
import { mapAsync, RowError } from '../../transforms/index.js';

interface Numbered {
  readonly n: number;
}

const rows: readonly Numbered[] = Array.from({ length: 40 }, (_, n) => ({ n }));

test('rows leave in the order in which they came, whatever ends first, and no more calls are under way than may be', async () => {
  let under = 0;
  let most = 0;
  const slow = mapAsync(
    async ({ n }: Numbered) => {
      most = Math.max(most, ++under);
      await sleep((n * 7) % 5);
      under--;
      return { twice: 2 * n };
    },
    { concurrency: 5 },
  );
  const ran = await testStage(slow, rows, { chunkSizes: [40, 7] });
  assert.deepEqual(
    ran.rows.map(({ twice }) => twice),
    rows.map(({ n }) => 2 * n),
  );
  assert.deepEqual(
    ran.rows.map(originOf),
    rows.map(({ n }) => n + 1),
  );
  assert.equal(most, 5);
});

test('a RowError rejects its row alone', async () => {
  const asked = mapAsync(async (row: Numbered) => {
    if (row.n % 20 === 3) throw new RowError('not_found', 'no answer', { column: 'n', value: row.n });
    return row;
  });
  const ran = await testStage(asked, rows);
  assert.equal(ran.rows.length, 38);
  assert.deepEqual(
    ran.rejects.map(({ reason, value }) => [reason, value]),
    [
      ['not_found', 3],
      ['not_found', 23],
    ],
  );
});

test('another exception ends the batch with the stage and the line, and the calls under way are told to stop', async () => {
  const told: number[] = [];
  const failing = mapAsync(
    async function ask({ n }: Numbered, signal): Promise<Numbered> {
      if (n === 2) throw new TypeError('no such service');
      await sleep(5000, undefined, { signal }).catch(() => told.push(n));
      return { n };
    },
    { concurrency: 3 },
  );
  await assert.rejects(
    testStage(failing, rows, { chunkSizes: [40] }),
    (error: { code?: string; facts?: { line?: number } }) => {
      assert.deepEqual([error.code, error.facts?.line], ['stage_failed', 3]);
      return true;
    },
  );
  assert.deepEqual(told, [0, 1]);
});

test('a run that is stopped stops the calls', async () => {
  const stop = new AbortController();
  const waiting = mapAsync(async (row: Numbered, signal) => {
    await sleep(5000, undefined, { signal });
    return row;
  });
  setTimeout(() => stop.abort(new Error('stopped')), 20);
  await assert.rejects(testStage(waiting, rows, { signal: stop.signal, chunkSizes: [10] }));
});
