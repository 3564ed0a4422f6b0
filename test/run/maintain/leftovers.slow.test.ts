import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { surveyReplace } from '../../../sinks/publish/replace/survey.js';
import { adoptAsStaging } from '../../../sinks/publish/replace/undo.js';
import { findBatch, holdBatch, startBatch } from '../../../src/db/ledger/batches.js';
import { openLedger } from '../../../src/db/ledger/open.js';
import { arm, guardOf } from '../../../src/run/changes/write-guard/write-guard.js';
import { undoNames } from '../../../src/run/given/batch-names.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import type { TestDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { leftGuards, leftSchemas, openDatabase, runOn } from '../../support/lots.js';
import { thingsDatabase, thingsPipeline } from '../../support/things.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** What is found and dropped, as `cleanup --execute --older-than DAYS` does. */
async function clean(t: TestContext, database: TestDatabase, days: number): Promise<string[]> {
  const opened = openDatabase(t, database);
  const found = await findLeftovers(opened, days);
  for (const leftover of found) await dropLeftover(opened, leftover);
  await opened.close();
  return found.map((each) => `${each.kind} ${each.batch}: ${each.name}`);
}

const start = {
  pipeline: 'things',
  from: 'things',
  source: 'postgres',
  sourceFile: undefined,
  settings: {},
  stopOnError: false,
  options: {},
};

test('a batch whose process died before it had anything is closed, so that nobody is warned of it for ever', async (t) => {
  const database = await thingsDatabase(t);
  const dead = openDatabase(t, database);
  await openLedger(dead);
  await startBatch(dead, start);
  await dead.close();
  const first = await runOn(t, database, thingsPipeline());
  assert.match(first.said.join(), /batch 1 \(things\) was interrupted/);
  assert.deepEqual(await clean(t, database, 30), ['batch 1: the batch itself']);
  const opened = openDatabase(t, database);
  assert.equal((await findBatch(opened, '1')).status, 'failed');
  assert.deepEqual((await runOn(t, database, thingsPipeline())).said, []);
});

test('a guard that a dead batch left is taken away, and the batch is closed', async (t) => {
  const database = await thingsDatabase(t);
  const dead = openDatabase(t, database);
  await openLedger(dead);
  await startBatch(dead, start);
  await arm(dead, guardOf('1'), [{ schema: 'public', table: 'things' }]);
  await dead.close();
  assert.deepEqual(await clean(t, database, 30), ['guard 1: triggers sluice_guard_1_*']);
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), []);
  assert.equal((await findBatch(openDatabase(t, database), '1')).status, 'failed');
});

test('what a living batch works with, what waits for its swap, and what is young are left alone', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline());
  await runOn(t, database, thingsPipeline({ rows: 7 }), { publish: false });
  const living = openDatabase(t, database);
  await startBatch(living, start);
  assert.deepEqual(await clean(t, database, 1), []);
  assert.ok((await leftSchemas(database)).includes('sluice_old_1'));
  assert.ok((await leftSchemas(database)).includes('sluice_staging_2'));
});

test('a kept table that something depends on is not dropped', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline());
  await database.query('CREATE VIEW mine AS SELECT * FROM sluice_old_1.things');
  await assert.rejects(clean(t, database, 0), { code: 'retained' });
  assert.deepEqual(await database.query('SELECT * FROM mine'), [{ id: 0, name: 'the old one' }]);
});

long('a rollback whose process was killed half-way can be done again', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline());
  const dead = openDatabase(t, database);
  const client = await dead.session();
  await holdBatch(dead, '1');
  const [kept] = await database.query<{ oid: number }>("SELECT 'sluice_old_1.things'::regclass::oid AS oid");
  const target = { schema: 'public', table: 'things' };
  await arm(dead, guardOf('undo_1'), [target]);
  await adoptAsStaging(
    client,
    await surveyReplace(client, [target]),
    [{ target, schema: 'sluice_old_1', table: 'things', oid: kept?.oid ?? 0 }],
    undoNames('1'),
    dead.patience,
  );
  await dead.close();
  const again = openDatabase(t, database);
  await rollbackBatch('1', { database: again, log: quiet });
  assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), ['sluice_undone_1']);
});
