import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../../../src/core/target.js';
import { testDatabase } from '../../../support/database.js';
import { engine, loads } from '../../../support/engine.js';

const ROWS = 3_000;

test('a merge into a table that was vacuumed while it was empty does not read what it inserts for every row', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY, code text PRIMARY KEY, name text)',
  );
  await database.query('VACUUM ANALYZE items');
  const rows = Array.from({ length: ROWS }, (_, i) => ({ code: `c${(i * 7919) % ROWS}`, name: `item ${i}` }));
  const target = merge('items', { columns: ['code', 'name'], key: ['code'] });
  await engine(t, database).run(loads({ items: [target, rows] }));
  const [read] = await database.query<{ blocks: number }>(
    "SELECT (heap_blks_hit + heap_blks_read)::int AS blocks FROM pg_statio_all_tables WHERE relid = 'items'::regclass",
  );
  assert.ok((read?.blocks ?? 0) < 3 * ROWS, `${read?.blocks} blocks of it were read`);
  const order = await database.query<{ code: string }>('SELECT code FROM items ORDER BY id');
  assert.deepEqual(
    order.map(({ code }) => code),
    rows.map(({ code }) => code),
    'ids are given in the order of the rows',
  );
});
