import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge } from '../../src/core/target.js';
import { testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';

test('a merge into a table that was vacuumed while it was empty does not read it once for every new row', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE items (id bigint PRIMARY KEY, name text)');
  await database.query('VACUUM ANALYZE items');
  const rows = Array.from({ length: 400 }, (_, i) => ({ id: String(i), name: `item ${i}` }));
  const target = merge('items', { columns: ['id', 'name'], key: ['id'] });
  await engine(t, database).run(loads({ items: [target, rows] }));
  const [scans] = await database.query<{ whole: number }>(
    "SELECT seq_scan::int AS whole FROM pg_stat_all_tables WHERE relid = 'items'::regclass",
  );
  assert.ok((scans?.whole ?? 0) < 40, `it was read ${scans?.whole} times`);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM items'), [{ n: 400 }]);
  const [settings] = await database.query("SELECT current_setting('enable_nestloop') AS nested");
  assert.deepEqual(settings, { nested: 'on' });
});
