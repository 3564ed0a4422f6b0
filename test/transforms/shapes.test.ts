import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { originOf } from '../../src/core/row.js';
import {
  aggregate,
  collect,
  count,
  first,
  flatten,
  max,
  min,
  RowError,
  sum,
  unpivot,
} from '../../transforms/index.js';

type Sale = { readonly shop: string; readonly amount: string | null; readonly day: string };

const sales: readonly Sale[] = [
  { shop: 'a', amount: '0.10', day: '3' },
  { shop: 'a', amount: null, day: '10' },
  { shop: 'a', amount: '0.20', day: '2' },
  { shop: 'b', amount: null, day: '1' },
  { shop: 'a', amount: '-12345678901234567890.125', day: '7' },
];

test('aggregate counts, adds exactly, and finds the smallest, the largest and the first; NULL is passed over', async () => {
  const stage = aggregate({
    by: ['shop'],
    columns: {
      rows: count(),
      amounts: count('amount'),
      total: sum('amount'),
      early: min('day', 'number'),
      late: max('day', 'number'),
      last: max('day'),
      one: first('day'),
      all: collect('amount'),
    },
  });
  const ran = await testStage(stage, sales.slice(0, 4));
  assert.deepEqual(
    ran.rows.map((row) => ({ ...row })),
    [
      {
        ...ran.rows[0],
        shop: 'a',
        rows: 3,
        amounts: 2,
        total: '0.30',
        early: '2',
        late: '10',
        last: '3',
        one: '3',
        all: ['0.10', null, '0.20'],
      },
      {
        ...ran.rows[1],
        shop: 'b',
        rows: 1,
        amounts: 0,
        total: null,
        early: '1',
        late: '1',
        last: '1',
        one: '1',
        all: [null],
      },
    ],
  );
  assert.deepEqual(ran.merged, { grouped: 2 });
});

test('aggregate of rows that do not stand together, and of a value that is no number', async () => {
  const totals = aggregate({ by: ['shop'], columns: { total: sum('amount') }, unordered: true });
  const ran = await testStage(totals, sales);
  assert.deepEqual(
    ran.rows.map(({ shop, total }) => [shop, total]),
    [
      ['a', '-12345678901234567889.825'],
      ['b', null],
    ],
  );
  await assert.rejects(
    testStage(totals, [{ shop: 'a', amount: '1,5', day: '1' }]),
    /amount is no decimal number: "1,5"/,
  );
});

test('unpivot makes a row of each column that has a value, with what stays beside it', async () => {
  const months = unpivot({ columns: ['jan', 'feb'], name: 'month', value: 'amount' });
  const rows = [
    { id: '1', jan: '10', feb: '20' },
    { id: '2', jan: null, feb: '5' },
    { id: '3', jan: null, feb: null },
  ];
  const ran = await testStage(months, rows);
  assert.deepEqual(
    ran.rows.map((row) => [row.id, row.month, row.amount, originOf(row)]),
    [
      ['1', 'jan', '10', 1],
      ['1', 'feb', '20', 1],
      ['2', 'feb', '5', 2],
    ],
  );
  assert.deepEqual([ran.added, ran.skipped], [{ unpivoted: 1 }, { nothing_to_unpivot: 1 }]);
  assert.deepEqual(Object.keys(ran.rows[0] ?? {}), ['id', 'month', 'amount']);
  const all = await testStage(
    unpivot({ columns: ['jan', 'feb'], name: 'month', value: 'amount', nulls: 'keep' }),
    rows,
  );
  assert.equal(all.rows.length, 6);
});

test('flatten makes a row of each element, of an array or of its text, with the parent at hand', async () => {
  const items = flatten({
    column: 'items',
    row: (order: { readonly id: string; readonly items: unknown }, item, at) => ({
      order: order.id,
      item,
      at,
    }),
  });
  const ran = await testStage(items, [
    { id: '1', items: ['bolt', { nut: 2 }] },
    { id: '2', items: '[12345678901234567890]' },
    { id: '3', items: null },
    { id: '4', items: [] },
    { id: '5', items: 'bolt' },
    { id: '6', items: { a: 1 } },
  ]);
  assert.deepEqual(
    ran.rows.map((row) => [row.order, row.item, row.at, originOf(row)]),
    [
      ['1', 'bolt', 0, 1],
      ['1', { nut: 2 }, 1, 1],
      ['2', 12345678901234567890n, 0, 2],
    ],
  );
  assert.deepEqual([ran.added, ran.skipped], [{ flattened: 1 }, { nothing_to_flatten: 2 }]);
  assert.deepEqual(
    ran.rejects.map(({ reason, column, value }) => [reason, column, value]),
    [
      ['not_an_array', 'items', 'bolt'],
      ['not_an_array', 'items', { a: 1 }],
    ],
  );
});

test('an element that is bad rejects its parent with all of its children', async () => {
  const numbers = flatten({
    column: 'items',
    row: (_: { readonly items: unknown }, item) => {
      if (typeof item !== 'number') throw new RowError('no_number', 'an item is no number');
      return { item };
    },
  });
  const ran = await testStage(numbers, [{ items: [1, 2] }, { items: [3, 'x'] }]);
  assert.deepEqual(
    ran.rows.map(({ item }) => item),
    [1, 2],
  );
  assert.deepEqual(
    ran.rejects.map(({ reason }) => reason),
    ['no_number'],
  );
});
