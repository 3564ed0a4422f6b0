import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { readPublished } from '../../../src/db/ledger/published.js';
import { dropLeftover, findLeftovers, keptInAll } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { long } from '../../support/long.js';
import { MODELS, models, PARTS_BY, parts, rowsFor, SYSTEM } from '../../support/system.js';
import { thrown } from '../../support/thrown.js';
import { checksums } from '../../support/window.js';

const MODES = ['replace', 'append', 'merge', 'patch'] as const;

for (const mode of MODES)
  test(`${mode}: publish, undo, publish, clean up; contents are as before each time`, async (t) => {
    const database = await testDatabase(t);
    await database.query(SYSTEM);
    const client = await database.connect();
    const { run, database: own, log } = engine(t, database);
    const sums = () => checksums(client, 'parts', 'notes', 'stock');
    const before = await sums();
    const of = loads({ parts: [PARTS_BY[mode], rowsFor(mode)] });
    const first = (await run(of)).summary.batch as string;
    const published = await sums();
    assert.notDeepEqual(published, before);
    const done = await rollbackBatch(first, { database: own, log });
    assert.equal(done.whole, true);
    assert.deepEqual(await sums(), before);
    assert.equal((await findBatch(own, first)).status, 'rolled_back');
    const second = (await run(of)).summary.batch as string;
    assert.deepEqual(await sums(), published);
    assert.ok((await keptInAll(own)).bytes > 0);
    for (const leftover of await findLeftovers(own, 0)) await dropLeftover(own, leftover);
    assert.deepEqual(await sums(), published);
    assert.deepEqual(await keptInAll(own), { tables: 0, bytes: 0 });
    assert.deepEqual(await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice_'"), []);
    await assert.rejects(rollbackBatch(second, { database: own, log }), { code: 'not_kept' });
  });

for (const mode of MODES)
  (mode === 'replace' || mode === 'merge' ? test : long)(
    `${mode}: rows written since refuse the rollback and are listed; a dry run tells them; discarding loses them`,
    async (t) => {
      const database = await testDatabase(t);
      await database.query(SYSTEM);
      const { run, database: own, log } = engine(t, database);
      const client = await database.connect();
      const before = await checksums(client, 'parts');
      const batch = (await run(loads({ parts: [PARTS_BY[mode], rowsFor(mode)] }))).summary.batch as string;
      const id = mode === 'append' ? 12 : 2;
      await database.query(`UPDATE parts SET amount = 99 WHERE id = ${id}`);
      const written = await checksums(client, 'parts');
      const planned = await rollbackBatch(batch, { database: own, log, dryRun: true });
      assert.equal(planned.tables[0]?.written_since.rows, 1);
      assert.match(planned.tables[0]?.written_since.list.join() ?? '', new RegExp(`id\\b.*${id}`));
      assert.match(planned.statements ?? '', /^BEGIN;[\s\S]*"parts"[\s\S]*COMMIT;\n$/);
      assert.deepEqual(await checksums(client, 'parts'), written);
      const error = await thrown(rollbackBatch(batch, { database: own, log }));
      assert.equal(error.code, 'written_since');
      assert.match(String(error.facts.details), /public\.parts: 1 row written since/);
      assert.match(String(error.facts.details), new RegExp(`id\\b.*${id}`));
      assert.deepEqual(await checksums(client, 'parts'), written);
      assert.deepEqual(await database.query("SELECT tgname FROM pg_trigger WHERE tgname ~ 'sluice'"), []);
      await rollbackBatch(batch, { database: own, log, discardWrites: true });
      assert.deepEqual(await checksums(client, 'parts'), before);
    },
  );

for (const mode of MODES)
  test(`${mode}: a writer whose transaction is older than the publish, and who writes after it, refuses the rollback`, async (t) => {
    const database = await testDatabase(t);
    await database.query(SYSTEM);
    const { run, database: own, log } = engine(t, database);
    const older = await database.connect();
    await older.query('BEGIN');
    await older.query('CREATE TEMP TABLE elsewhere AS SELECT pg_current_xact_id()');
    const batch = (await run(loads({ parts: [PARTS_BY[mode], rowsFor(mode)] }))).summary.batch as string;
    const id = mode === 'append' ? 12 : 2;
    await older.query(`UPDATE parts SET amount = 99 WHERE id = ${id}`);
    await older.query('COMMIT');
    const error = await thrown(rollbackBatch(batch, { database: own, log }));
    assert.equal(error.code, 'written_since');
    assert.match(
      String(error.facts.details),
      new RegExp(`public\\.parts: 1 row written since.*id\\b.*${id}`, 's'),
    );
    assert.deepEqual(await database.query(`SELECT amount::int FROM parts WHERE id = ${id}`), [
      { amount: 99 },
    ]);
  });

test('single tables are undone one by one; with the last of them the batch is rolled back', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own, log } = engine(t, database);
  const client = await database.connect();
  const before = await checksums(client, 'parts', 'models');
  const of = loads({ models: [MODELS, models(5)], parts: [PARTS_BY.merge, parts(8, 3)] });
  const batch = (await run(of)).summary.batch as string;
  const published = await checksums(client, 'parts', 'models');
  const undo = (tables: string[], dryRun = false) =>
    rollbackBatch(batch, { database: own, log, tables, dryRun });
  await assert.rejects(undo(['lots']), { code: 'no_such_table', kind: 'usage' });
  const first = await undo(['public.parts']);
  assert.equal(first.whole, false);
  assert.deepEqual(await checksums(client, 'parts', 'models'), { ...published, parts: before.parts });
  assert.equal((await findBatch(own, batch)).status, 'completed');
  await assert.rejects(undo(['parts']), { code: 'rolled_back', kind: 'usage' });
  assert.deepEqual(
    (await undo([], true)).tables.map(({ table }) => table),
    ['public.models'],
  );
  const second = await undo(['models']);
  assert.equal(second.whole, true);
  assert.deepEqual(await checksums(client, 'parts', 'models'), before);
  assert.equal((await findBatch(own, batch)).status, 'rolled_back');
});

test('a parent whose new rows have children since is not undone alone, and stays as it is', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own, log } = engine(t, database);
  const client = await database.connect();
  const batch = (await run(loads({ models: [MODELS, models(6)] }))).summary.batch as string;
  await database.query('INSERT INTO parts VALUES (9, 6, 1)');
  const now = await checksums(client, 'parts', 'models');
  await assert.rejects(rollbackBatch(batch, { database: own, log }), { code: 'orphans' });
  assert.deepEqual(await checksums(client, 'parts', 'models'), now);
  const [kept] = await readPublished(own, batch);
  assert.equal(kept?.retained_schema, `sluice_old_${batch}`);
  await database.query('INSERT INTO parts VALUES (10, 6, 1); DELETE FROM parts WHERE id > 8');
  await rollbackBatch(batch, { database: own, log });
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM models'), [{ n: 5 }]);
});

long('tables of one name in two schemas are kept apart and come back', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${SYSTEM} CREATE SCHEMA other; CREATE TABLE other.models (LIKE models INCLUDING ALL);
    INSERT INTO other.models VALUES (1, 'other')`);
  const { run, database: own, log } = engine(t, database);
  const client = await database.connect();
  const before = await checksums(client, 'models', 'other.models');
  const of = loads({
    models: [{ ...MODELS, table: 'public.models' }, models(5)],
    others: [{ ...MODELS, table: 'other.models' }, models(2)],
  });
  const batch = (await run(of)).summary.batch as string;
  await rollbackBatch(batch, { database: own, log });
  assert.deepEqual(await checksums(client, 'models', 'other.models'), before);
});

test('a rollback says beforehand which views go that the batch had made', async (t) => {
  const database = await testDatabase(t);
  await database.query(SYSTEM);
  const { run, database: own, log } = engine(t, database);
  const view = {
    ...{ name: 'few_parts', beside: 'parts', comment: 'parts of which there are few' },
    select: (live: (table: string) => string) => `SELECT id FROM ${live('parts')} WHERE amount < 3`,
  };
  const of = loads({ parts: [PARTS_BY.append, rowsFor('append')] }, { views: [view] });
  const batch = (await run(of)).summary.batch as string;
  const planned = await rollbackBatch(batch, { database: own, log, dryRun: true });
  assert.deepEqual([planned.made_views, planned.views], [['public.few_parts'], []]);
  assert.equal((await database.query("SELECT to_regclass('few_parts') IS NULL AS gone"))[0]?.gone, false);
  assert.deepEqual((await rollbackBatch(batch, { database: own, log })).made_views, ['public.few_parts']);
  assert.equal((await database.query("SELECT to_regclass('few_parts') IS NULL AS gone"))[0]?.gone, true);
});
