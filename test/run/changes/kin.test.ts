import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Pipeline } from '../../../src/core/pipeline.js';
import { append, replace } from '../../../src/core/target.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';

const MODELS = { columns: ['id'] as const };
const PARTS = { columns: ['id', 'model'] as const };
const NEW_PART = [{ id: 1, model: 2 }];

/** A model without parts, and what publishes into both tables. */
async function setUp(t: TestContext) {
  const database = await testDatabase(t);
  await database.query(`
    CREATE TABLE models (id int PRIMARY KEY); INSERT INTO models VALUES (1);
    CREATE TABLE parts (id int PRIMARY KEY, model int REFERENCES models)`);
  const on = engine(t, database);
  const run = async (of: Pipeline) => (await on.run(of)).summary;
  return { database, on, run };
}

test('a replaced parent goes back together with the new children that were added to it', {
  todo: 'the rollback validates the key to the old parents before it takes the new children away: refused `orphans`',
}, async (t) => {
  const { database, on, run } = await setUp(t);
  const of = loads({
    models: [replace('models', MODELS), [{ id: 1 }, { id: 2 }]],
    parts: [append('parts', PARTS), NEW_PART],
  });
  const { batch } = await run(of);
  await rollbackBatch(batch as string, on);
  assert.deepEqual(await database.query('SELECT id FROM models'), [{ id: 1 }]);
  assert.deepEqual(await database.query('SELECT id FROM parts'), []);
});

test('a replaced child refers to a parent that the same batch adds', {
  todo: 'the key of staging is validated against live before the publish adds the parent: refused `orphans`',
}, async (t) => {
  const { database, run } = await setUp(t);
  const of = loads({
    models: [append('models', MODELS), [{ id: 2 }]],
    parts: [replace('parts', PARTS), NEW_PART],
  });
  assert.equal((await run(of)).status, 'completed');
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), NEW_PART);
});
