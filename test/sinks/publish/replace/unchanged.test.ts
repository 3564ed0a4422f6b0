import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdsSameRows } from '../../../../sinks/publish/replace/unchanged.js';
import { testDatabase } from '../../../support/database.js';
import { engine } from '../../../support/engine.js';

const LIVE = { schema: 'public', table: 'live' };
const STAGED = { schema: 'public', table: 'staged' };

test('a staged table is what live is, or differs in one row, wherever that stands', async (t) => {
  const database = await testDatabase(t);
  const ours = engine(t, database).database;
  // Some hundred blocks, so that they are sampled; without statistics, as staging is.
  await database.query(`
    CREATE TABLE live (id int PRIMARY KEY, price numeric, note text) WITH (autovacuum_enabled = false);
    INSERT INTO live SELECT n, n * 1.00, repeat('x', 200) FROM generate_series(1, 5000) n;
    CREATE TABLE staged (LIKE live) WITH (autovacuum_enabled = false);
    INSERT INTO staged SELECT * FROM live ORDER BY id DESC`);
  const same = (until = Number.POSITIVE_INFINITY) => holdsSameRows(ours, LIVE, STAGED, until);
  assert.equal(await same(), true);
  assert.equal(await same(performance.now() - 1), false, 'no answer is no');

  for (const change of [
    'UPDATE staged SET note = NULL WHERE id = 1',
    'UPDATE staged SET price = 2500.0 WHERE id = 2500',
    'DELETE FROM staged WHERE id = 5000',
    "INSERT INTO staged VALUES (5001, 5001.00, 'new')",
    'UPDATE staged SET id = 5001 WHERE id = 5000',
  ]) {
    await database.query(change);
    assert.equal(await same(), false, change);
    await database.query('TRUNCATE staged; INSERT INTO staged SELECT * FROM live');
    assert.equal(await same(), true);
  }
});
