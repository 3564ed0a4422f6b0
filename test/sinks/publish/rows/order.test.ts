import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parentsFirst } from '../../../../sinks/publish/rows/order.js';
import type { PublishMode } from '../../../../src/core/publish-mode.js';
import type { RowTable } from '../../../../src/db/catalog/row-tables.js';

const table = (name: string, mode: PublishMode, ...parents: string[]) => ({
  mode,
  live: {
    schema: 's',
    table: name,
    parents: parents.map((parent) => ({ schema: 's', table: parent })),
  } as unknown as RowTable,
});
const order = (...tables: ReturnType<typeof table>[]) => parentsFirst(tables).map(({ live }) => live.table);

test('parents come before their children, whatever the order given', () => {
  assert.deepEqual(order(table('c', 'append', 'b'), table('b', 'merge', 'a'), table('a', 'append')), [
    'a',
    'b',
    'c',
  ]);
  assert.deepEqual(order(table('child', 'append', 'parent'), table('parent', 'patch')), ['parent', 'child']);
});

test('in a circle the table that is only patched comes last: it is patched with what the others add', () => {
  const runs = table('runs', 'patch', 'snapshots');
  const snapshots = table('snapshots', 'append', 'runs');
  assert.deepEqual(order(runs, snapshots), ['snapshots', 'runs']);
  assert.deepEqual(order(snapshots, runs), ['snapshots', 'runs']);
});

test('a longer circle, one of tables that all get rows, and a table of itself come to an end', () => {
  assert.deepEqual(order(table('a', 'patch', 'b'), table('b', 'append', 'c'), table('c', 'append', 'a')), [
    'c',
    'b',
    'a',
  ]);
  assert.equal(order(table('a', 'append', 'b'), table('b', 'append', 'a')).length, 2);
  assert.deepEqual(order(table('a', 'merge', 'a')), ['a']);
});
