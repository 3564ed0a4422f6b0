import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, merge, patch, sync } from '../../../src/core/target.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';

const COLUMNS = ['id', 'name', 'price'] as const;
const KEY = { columns: COLUMNS, key: ['id'] };
const A = { id: '1', name: 'a', price: '1.00' };

test('rows that are in live as they are, and none to add, publish nothing and say so', async (t) => {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE things (id int PRIMARY KEY, name text, price numeric);
    INSERT INTO things VALUES (1, 'a', 1.00), (2, NULL, 2.0)`);
  const on = engine(t, database);
  const status = async (target: Parameters<typeof loads>[0]['x'][0], rows: readonly object[]) =>
    (await on.run(loads({ x: [target, rows as never] }))).summary.status;

  assert.equal(await status(append('things', { columns: COLUMNS }), []), 'unchanged');
  assert.equal(await status(merge('things', KEY), [A]), 'unchanged');
  assert.equal(await status(patch('things', KEY), [A, { id: '2', name: null, price: '2.0' }]), 'unchanged');
  const { summary } = await on.run(loads({ x: [merge('things', KEY), [A] as never] }));
  assert.ok((summary.timings.compare ?? 0) > 0, 'the comparison has its time');
  const batches = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM sluice.migration_publish',
  );
  assert.deepEqual(batches, [{ n: 0 }]);

  // The same number, written otherwise, is a change, and so is a row that only live has where it is to go.
  assert.equal(await status(merge('things', KEY), [{ ...A, price: '1.000' }]), 'completed');
  assert.equal(await status(sync('things', KEY), [{ ...A, price: '1.000' }]), 'completed');
  assert.equal(await status(merge('things', KEY), [{ id: '3', name: 'c', price: null }]), 'completed');
  await assert.rejects(
    status(patch('things', KEY), [{ id: '9', name: 'x', price: null }]),
    /1 of 1 row was rejected/,
  );
});
