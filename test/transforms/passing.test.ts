import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStage } from 'sluice/testing';
import { memory } from '../../src/sources/memory.js';
import { RowError } from '../../transforms/failure.js';
import { lookup } from '../../transforms/lookup.js';
import { map } from '../../transforms/map.js';
import { passing } from '../../transforms/passing.js';

const parents = memory('parents', [
  { id: '1', age: 'forty' },
  { id: '2', age: '41' },
]);

const parent = map((row: { readonly id: string; readonly age: string }) => {
  if (!/^\d+$/.test(row.age)) throw new RowError('invalid_age', 'no number', { column: 'age' });
  return { key: row.id, years: row.age };
}, 'parent');

test('a parent that its own stages reject is none to its children, and is rejected where it goes itself', async () => {
  const children = [{ of: '1' }, { of: '2' }, { of: '3' }];
  const from = passing(parents, parent);
  const { rows, rejects } = await testStage(
    lookup({
      ...{ from, key: 'key', on: 'of', take: { years: 'years' }, reason: 'parent_rejected' },
    }),
    children,
  );
  assert.deepEqual(
    rows.map(({ of, years }) => [of, years]),
    [['2', '41']],
  );
  assert.deepEqual(
    rejects.map(({ reason, value }) => [reason, value]),
    [
      ['parent_rejected', '1'],
      ['parent_rejected', '3'],
    ],
  );
});

test('what is no fault of a row ends the lookup as it ends the flow', async () => {
  const broken = map((row: { readonly id: string }) => {
    if (row.id === '2') throw new Error('a bug');
    return row;
  }, 'broken');
  await assert.rejects(
    testStage(lookup({ from: passing(parents, broken), key: 'id', on: 'of', take: {} }), [{ of: '1' }]),
    /stage broken: a bug/,
  );
});
