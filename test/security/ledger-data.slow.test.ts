import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pipelineOf } from '../../src/cli/given/pipelines.js';
import { findBatch, noteBatch } from '../../src/db/ledger/batches.js';
import { openLedger } from '../../src/db/ledger/open.js';
import { LEDGER_GRANTS } from '../../src/run/check/rights.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { swapBatch } from '../../src/run/swap.js';
import { EMPTY, testDatabase } from '../support/database.js';
import { engine, loads } from '../support/engine.js';
import { testRole } from '../support/role.js';
import { PARTS_BY, rowsFor, SYSTEM } from '../support/system.js';
import { thrown } from '../support/thrown.js';

const parts = (mode: keyof typeof PARTS_BY) => loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });

test('a file that the ledger names is not run, unless the user names it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'theirs.mjs');
  writeFileSync(
    path,
    "globalThis.ranTheirs = true; export default { name: 'theirs', flows: () => [], inputs: {}, tables: {} };",
  );
  const batch = { id: '7', pipeline: 'theirs', pipeline_from: path, settings: {} };
  const refused = await thrown(pipelineOf(batch, undefined));
  assert.equal(refused.code, 'name_the_pipeline');
  assert.equal('ranTheirs' in globalThis, false);
  assert.match(String([refused.facts.next].flat()), new RegExp(`--pipeline ${path}`));
  assert.equal((await pipelineOf(batch, path)).name, 'theirs');
  await assert.rejects(pipelineOf({ ...batch, pipeline: 'another' }, path), { code: 'other_pipeline' });
  const builtIn = { ...batch, pipeline: 'lot-consolidation', pipeline_from: 'lot-consolidation' };
  assert.equal((await pipelineOf(builtIn, undefined)).name, 'lot-consolidation');
});

test('schemas that the ledger names and the batch has not made are neither dropped nor published from', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const { run, database: own, log } = engine(t, database);
  await database.query(`${SYSTEM} CREATE SCHEMA prod; CREATE TABLE prod.parts (LIKE parts INCLUDING ALL)`);
  const there = () =>
    database.query(
      "SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'prod'::regnamespace AND relkind = 'r'",
    );
  const { batch: staged } = (await run(parts('merge'), { publish: false })).summary;
  await noteBatch(own, staged as string, { staging_schema: 'prod', old_schema: 'prod' });
  const { batch: live } = (await run(parts('replace'))).summary;
  await database.query(
    "UPDATE sluice.migration_publish SET retained_schema = 'prod', retained_oid = 'prod.parts'::regclass WHERE batch_id = $1",
    [live],
  );
  // Not even where the ledger says that it has made them.
  await database.query(
    `UPDATE sluice.migration_batch SET schemas = schemas || jsonb_build_object('prod', jsonb_build_object('oid', 'prod'::regnamespace::oid::int8, 'tables', '{}'::jsonb))`,
  );
  await assert.rejects(rollbackBatch(live as string, { database: own, log }), { code: 'retained' });
  for (const leftover of await findLeftovers(own, 0)) {
    assert.notEqual(leftover.schema, 'prod');
    await dropLeftover(own, leftover);
  }
  assert.deepEqual(await there(), [{ n: 1 }]);
});

test('a role that may write in the ledger changes its own batches, and nothing of those of others', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const writer = await testRole(t);
  const first = engine(t, database);
  await database.query(`${SYSTEM} GRANT SELECT, INSERT, UPDATE ON parts TO ${writer};
    GRANT CREATE ON DATABASE ${database.name} TO ${writer}; ALTER ROLE ${writer} LOGIN PASSWORD 'test'`);
  const { batch: theirs } = (await first.run(parts('append'))).summary;
  await first.database.close();
  const { database: own } = engine(t, database);
  for (const grant of LEDGER_GRANTS) await database.query(`${grant} TO ${writer}`);
  const url = new URL(database.url);
  url.username = writer;
  url.password = 'test';
  const me = engine(t, { url: url.href });
  const mine = (await me.run(loads({ parts: [PARTS_BY.append, [{ id: 50, model_id: 1, amount: 1 }]] })))
    .summary;
  assert.equal(mine.status, 'completed');
  assert.equal((await findBatch(own, mine.batch as string)).started_by, writer);
  const forged = [
    `UPDATE sluice.migration_batch SET log_file = '/tmp/x' WHERE id = ${theirs}`,
    `UPDATE sluice.migration_batch SET started_by = 'postgres' WHERE id = ${mine.batch}`,
    `UPDATE sluice.migration_batch SET started_by = '${writer}' WHERE id = ${theirs}`,
    `INSERT INTO sluice.migration_batch (pipeline, pipeline_from, source, sluice_version, started_by) VALUES ('p', '/p.js', 'csv', '1', 'postgres')`,
    `UPDATE sluice.migration_publish SET retained_schema = 'public' WHERE batch_id = ${theirs}`,
    `UPDATE sluice.migration_publish SET batch_id = ${theirs} WHERE batch_id = ${mine.batch}`,
    `INSERT INTO sluice.migration_reject (batch_id, number, input, stage, reason, message) VALUES (${theirs}, 99, 'i', 's', 'r', 'm')`,
    `INSERT INTO sluice.migration_record_row (batch_id, number, record_type, source_id, input) VALUES (${theirs}, 99, 'r', '1', 'i')`,
  ];
  for (const sql of forged)
    await assert.rejects(me.database.query(sql), (error: { code?: string }) => error.code === '42501', sql);
  await me.database.query(`UPDATE sluice.migration_batch SET log_file = '/tmp/x' WHERE id = ${mine.batch}`);
  await assert.rejects(me.database.query('ALTER TABLE sluice.migration_batch DISABLE TRIGGER own_batch'));
});

test('a ledger of version 8 is brought up, and its staged batch is published', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  const { run, database: own, log } = engine(t, database);
  await database.query(SYSTEM);
  await run(parts('replace'), { publish: false });
  await database.query(`
    DO $$ DECLARE t record; BEGIN FOR t IN SELECT tgrelid::regclass AS r FROM pg_trigger WHERE tgname = 'own_batch' LOOP
      EXECUTE format('DROP TRIGGER own_batch ON %s', t.r); END LOOP; END $$;
    DROP FUNCTION sluice.own_batch();
    ALTER TABLE sluice.migration_batch DROP COLUMN schemas;
    DELETE FROM sluice.ledger_version; INSERT INTO sluice.ledger_version VALUES (8)`);
  await openLedger(own);
  const { status } = await swapBatch(parts('replace'), await findBatch(own, '1'), { database: own, log });
  assert.equal(status, 'completed');
  assert.deepEqual(
    await database.query("SELECT count(*)::int AS n FROM pg_trigger WHERE tgname = 'own_batch'"),
    [{ n: 8 }],
  );
  await rollbackBatch('1', { database: own, log });
});
