import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../../src/core/pipeline.js';
import { append, merge, replace, sync, type Target } from '../../../src/core/target.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';

const MODELS = { columns: ['id'] as const };
const PARTS = { columns: ['id', 'model'] as const };
const SERIALS = { columns: ['id', 'part'] as const };
const NEW_PART = [{ id: 1, model: 2 }];

/** The key is there, once, and known to hold. */
async function assertKeyHolds(database: TestDatabase): Promise<void> {
  const keys = await database.query(
    "SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'parts'::regclass AND contype = 'f'",
  );
  assert.deepEqual(keys, [{ conname: 'parts_model_fkey', convalidated: true }]);
}

/** The rows of all three tables. */
async function everything(database: TestDatabase): Promise<unknown> {
  return [
    await database.query('SELECT id FROM models ORDER BY 1'),
    await database.query('SELECT id, model FROM parts ORDER BY 1'),
    await database.query('SELECT id, part FROM serials ORDER BY 1'),
  ];
}

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

test('a replaced parent goes back together with the new children that were added to it', async (t) => {
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

test('a replaced child refers to a parent that the same batch adds', async (t) => {
  const { database, on, run } = await setUp(t);
  const of = loads({
    models: [append('models', MODELS), [{ id: 2 }]],
    parts: [replace('parts', PARTS), NEW_PART],
  });
  const { batch, status } = await run(of);
  assert.equal(status, 'completed');
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), NEW_PART);
  await assertKeyHolds(database);
  await rollbackBatch(batch as string, on);
  assert.deepEqual(await database.query('SELECT id FROM models'), [{ id: 1 }]);
  assert.deepEqual(await database.query('SELECT id FROM parts'), []);
  await assertKeyHolds(database);
});

test('a changed child gets its old parent back together with the replaced table that had it', async (t) => {
  const { database, on, run } = await setUp(t);
  await database.query('INSERT INTO parts VALUES (1, 1)');
  const { batch } = await run(
    loads({
      models: [replace('models', MODELS), [{ id: 2 }]],
      parts: [merge('parts', { ...PARTS, key: ['id'] }), NEW_PART],
    }),
  );
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), NEW_PART);
  await rollbackBatch(batch as string, on);
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), [{ id: 1, model: 1 }]);
  await assertKeyHolds(database);
});

test('children that a sync deletes do not keep the rows that they refer to', async (t) => {
  const { database, on, run } = await setUp(t);
  await database.query('INSERT INTO parts VALUES (1, 1), (2, 1)');
  const { batch } = await run(
    loads({
      models: [replace('models', MODELS), [{ id: 2 }]],
      parts: [sync('parts', { ...PARTS, key: ['id'], maxShrink: 100 }), NEW_PART],
    }),
  );
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), NEW_PART);
  await rollbackBatch(batch as string, on);
  assert.deepEqual(await database.query('SELECT id, model FROM parts ORDER BY id'), [
    { id: 1, model: 1 },
    { id: 2, model: 1 },
  ]);
  await assertKeyHolds(database);
});

test('rows that old children refer to are deleted once these are replaced', async (t) => {
  const { database, on } = await setUp(t);
  await database.query('INSERT INTO parts VALUES (1, 1)');
  const of = loads({
    models: [sync('models', { ...MODELS, key: ['id'], maxShrink: 100 }), [{ id: 2 }]],
    parts: [replace('parts', PARTS), NEW_PART],
  });
  const { batch } = (await on.run(of, { publish: false })).summary;
  // A swap that failed has left keys of its staging.
  await database.query('ALTER TABLE sluice.migration_publish ADD CONSTRAINT not_now CHECK (false)');
  const staged = async () => swapBatch(of, await findStaged(on.database, batch as string), on);
  await assert.rejects(staged(), /not_now/);
  await database.query('ALTER TABLE sluice.migration_publish DROP CONSTRAINT not_now');
  await staged();
  assert.deepEqual(await database.query('SELECT id FROM models'), [{ id: 2 }]);
  await rollbackBatch(batch as string, on);
  assert.deepEqual(await database.query('SELECT id, model FROM parts'), [{ id: 1, model: 1 }]);
  assert.deepEqual(await database.query('SELECT id FROM models'), [{ id: 1 }]);
  await assertKeyHolds(database);
});

test('a chain of three goes there and back, whichever of them is replaced', async (t) => {
  const { database, on, run } = await setUp(t);
  await database.query('CREATE TABLE serials (id int PRIMARY KEY, part int REFERENCES parts)');
  const modes = {
    models: [replace('models', MODELS), append('models', MODELS)],
    parts: [replace('parts', PARTS), append('parts', PARTS)],
    serials: [replace('serials', SERIALS), append('serials', SERIALS)],
  };
  const before = await everything(database);
  for (const replaced of ['models', 'parts', 'serials'] as const) {
    const how = (table: keyof typeof modes) => modes[table][table === replaced ? 0 : 1];
    const { batch } = await run(
      loads({
        models: [how('models') as Target, replaced === 'models' ? [{ id: 1 }, { id: 2 }] : [{ id: 2 }]],
        parts: [how('parts') as Target, NEW_PART],
        serials: [how('serials') as Target, [{ id: 7, part: 1 }]],
      }),
    );
    assert.deepEqual(await database.query('SELECT id, part FROM serials'), [{ id: 7, part: 1 }], replaced);
    await rollbackBatch(batch as string, on);
    assert.deepEqual(await everything(database), before, replaced);
  }
});

test('a child without a parent in live or the batch is refused, and live is as it was', async (t) => {
  const { database, run } = await setUp(t);
  const of = loads({
    models: [append('models', MODELS), [{ id: 3 }]],
    parts: [replace('parts', PARTS), NEW_PART],
  });
  await assert.rejects(run(of), /reject|no parent|foreign key/);
  assert.deepEqual(await database.query('SELECT id FROM models'), [{ id: 1 }]);
  assert.deepEqual(await database.query('SELECT id FROM parts'), []);
});

test('of a replaced child all rows without a parent are rejects, also where its parents are added', async (t) => {
  const { database, on } = await setUp(t);
  const of = loads({
    models: [append('models', MODELS), [{ id: 2 }]],
    parts: [
      replace('parts', PARTS),
      [...NEW_PART, { id: 2, model: 7 }, { id: 3, model: 1 }, { id: 4, model: 8 }],
    ],
  });
  const refused = await on.run(of).catch((error: unknown) => error as SluiceError);
  assert.equal((refused as SluiceError).code, 'too_many_rejects');
  const { summary } = await on.run(of, { maxRejects: { rows: 2 } });
  assert.equal(summary.rejected, 2);
  assert.deepEqual(await database.query('SELECT id, model FROM parts ORDER BY id'), [
    { id: 1, model: 2 },
    { id: 3, model: 1 },
  ]);
  await rollbackBatch(summary.batch as string, on);
  await assertKeyHolds(database);
});
