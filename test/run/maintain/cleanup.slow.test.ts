import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBatch, releaseBatch } from '../../../src/db/ledger/batches.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { MODELS, models, PARTS_BY, parts, SYSTEM } from '../../support/system.js';

test('what was kept for less than the days given is not listed, nor anything dropped by listing', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own } = engine(t, database);
  await run(loads({ models: [MODELS, models(5)], parts: [PARTS_BY.merge, parts(5, 1)] }));
  assert.deepEqual(await findLeftovers(own, 30), []);
  await database.query("UPDATE sluice.migration_publish SET published_at = now() - interval '31 days'");
  const found = await findLeftovers(own, 30);
  assert.deepEqual(
    found.map(({ kind, name }) => [kind, name]),
    [
      ['replaced table', 'sluice_old_1.models'],
      ['saved rows', 'public.parts'],
    ],
  );
  assert.ok(found.every(({ bytes }) => bytes > 0));
  assert.deepEqual(await findLeftovers(own, 30), found);
});

test('a kept table that something depends on is not dropped, and says on what; never CASCADE', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own, log } = engine(t, database);
  await run(loads({ models: [MODELS, models(5)] }));
  await database.query('CREATE VIEW looking AS SELECT * FROM sluice_old_1.models');
  const [kept] = await findLeftovers(own, 0);
  assert.ok(kept);
  await assert.rejects(dropLeftover(own, kept), (error: unknown) => {
    const { code, facts } = error as { code: string; facts: { details: string[] } };
    return (
      code === 'retained' &&
      /view public\.looking depends on table sluice_old_1\.models/.test(facts.details.join())
    );
  });
  assert.equal((await database.query('SELECT FROM looking')).length, 5);
  await database.query('DROP VIEW looking');
  await rollbackBatch('1', { database: own, log });
});

test('what a rollback put aside is kept, too, until it is cleaned up', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own, log } = engine(t, database);
  await run(loads({ models: [MODELS, models(5)] }));
  await rollbackBatch('1', { database: own, log });
  const found = await findLeftovers(own, 0);
  assert.deepEqual(
    found.map(({ name }) => name),
    ['sluice_undone_1.models'],
  );
  for (const leftover of found) await dropLeftover(own, leftover);
  assert.deepEqual(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'"), []);
});

test('staging that waits is dropped after its days, guard and all; while it waits it blocks no child', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own } = engine(t, database);
  const { summary } = await run(loads({ models: [MODELS, models(7)] }), { publish: false });
  const batch = summary.batch as string;
  assert.equal(summary.status, 'staged');
  await database.query("INSERT INTO models VALUES (8, 'live only'); INSERT INTO parts VALUES (8, 8, 1)");
  assert.deepEqual(await findLeftovers(own, 30), []);
  for (const leftover of await findLeftovers(own, 0)) await dropLeftover(own, leftover);
  assert.equal((await findBatch(own, batch)).status, 'failed');
  assert.deepEqual(await database.query("SELECT tgname FROM pg_trigger WHERE tgname ~ 'sluice'"), []);
});

test('a staged batch whose staging is gone is ended by the cleanup, and its guard leaves live', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own } = engine(t, database);
  const { summary } = await run(loads({ parts: [PARTS_BY.merge, parts(5, 1)] }), { publish: false });
  // As the command's end does.
  await releaseBatch(own, '1');
  assert.deepEqual(await findLeftovers(own, 30), []);
  await database.query('DROP SCHEMA sluice_staging_1 CASCADE');
  const left = await findLeftovers(own, 30);
  assert.deepEqual(
    left.map(({ kind, batch }) => [kind, batch]),
    [['guard', summary.batch]],
  );
  for (const each of left) await dropLeftover(own, each);
  assert.equal((await findBatch(own, '1')).status, 'failed');
  const still = await database.query(
    "SELECT tgname FROM pg_trigger WHERE tgname ~ 'sluice' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'",
  );
  assert.deepEqual(still, []);
  assert.deepEqual(await findLeftovers(own, 0), []);
});
