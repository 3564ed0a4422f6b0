import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { filter, map, rejectWhere, wholeGroups } from '../../transforms/index.js';

interface Line {
  readonly order: string;
  readonly no: number;
  readonly price: string | null;
}

const line = (order: string, no: number, price: string | null = '1'): Line => ({ order, no, price });
const priced = rejectWhere<Line>((row) => row.price === null, { reason: 'no_price', column: 'price' });
const lines = [line('a', 1), line('a', 2), line('b', 3), line('b', 4, null), line('b', 5), line('c', 6)];
const numbers = (rows: readonly Line[]) => rows.map(({ no }) => no);

test('a group with a bad row is rejected as a whole: that row for its own reason, the others because of it', async () => {
  const ran = await testStage(wholeGroups(priced, { by: 'order' }), lines);
  assert.deepEqual(numbers(ran.rows), [1, 2, 6]);
  assert.deepEqual(
    ran.rejects.map(({ row, reason, message }) => [row?.no, reason, message]),
    [
      [3, 'group_rejected', 'row 4 of order b is rejected: no_price'],
      [4, 'no_price', undefined],
      [5, 'group_rejected', 'row 4 of order b is rejected: no_price'],
    ],
  );
});

test('or it is left as it was, as a whole, and counted as left', async () => {
  const ran = await testStage(wholeGroups(priced, { by: 'order', bad: 'leave' }), lines);
  assert.deepEqual(numbers(ran.rows), [1, 2, 3, 4, 5, 6]);
  assert.deepEqual([ran.rejects, ran.left], [[], { group_rejected: 3 }]);
});

test('rows of a group may stand anywhere where that is said; else a group that comes again is another', async () => {
  const mixed = [line('a', 1), line('b', 2, null), line('a', 3), line('b', 4)];
  const whole = await testStage(wholeGroups(priced, { by: 'order', unordered: true }), mixed);
  assert.deepEqual(numbers(whole.rows), [1, 3]);
  assert.equal(whole.rejects.length, 2);
  assert.deepEqual(numbers((await testStage(wholeGroups(priced, { by: 'order' }), mixed)).rows), [1, 3, 4]);
});

test('several stages judge, change rows and leave some out, and a group goes through them by itself', async () => {
  const stages = [
    filter<Line>((row) => row.no !== 1, 'first'),
    priced,
    map((row: Line) => ({ ...row, order: row.order.toUpperCase() })),
  ];
  const ran = await testStage(wholeGroups(stages, { by: ['order'] }), lines);
  assert.deepEqual(
    ran.rows.map(({ order, no }) => `${order}${no}`),
    ['A2', 'C6'],
  );
  assert.deepEqual(ran.skipped, { first: 1 });
});
