import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { RowError, rejectWhere } from '../../transforms/index.js';

interface Line {
  readonly id: string;
  readonly price: string | null;
}

const lines: readonly Line[] = [
  { id: '1', price: '2' },
  { id: '2', price: null },
  { id: '3', price: '-1' },
];

test('rows for which the predicate is true are rejects with the reason, the column and its value', async () => {
  const stage = rejectWhere<Line>((row) => row.price === null, {
    ...{ reason: 'no_price', message: 'an article has a price', column: 'price', expected: 'a number' },
  });
  const ran = await testStage(stage, lines);
  assert.deepEqual(
    ran.rows.map(({ id }) => id),
    ['1', '3'],
  );
  const [reject] = ran.rejects;
  assert.deepEqual(
    [reject?.reason, reject?.message, reject?.column, reject?.value, reject?.expected],
    ['no_price', 'an article has a price', 'price', null, 'a number'],
  );
});

test('a reason alone is enough, a RowError has its own, and any other exception ends the batch', async () => {
  const stage = rejectWhere((row: Line) => {
    if (row.price === null) throw new RowError('no_price', 'no price');
    return Number(row.price) < 0;
  }, 'negative');
  const { rejects } = await testStage(stage, lines);
  assert.deepEqual(
    rejects.map(({ reason }) => reason),
    ['no_price', 'negative'],
  );
  const bug = rejectWhere<Line>(() => {
    throw new TypeError('a bug');
  }, 'x');
  await assert.rejects(testStage(bug, lines), { code: 'stage_failed' });
});
