import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { type Pipeline, validation } from '../../../src/core/pipeline.js';
import { append } from '../../../src/core/target.js';
import { createStatements } from '../../../src/run/changes/missing-tables.js';
import { checkPipeline } from '../../../src/run/check.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { type Engine, engine, loads } from '../../support/engine.js';
import { into } from '../../support/said.js';

const OLD = 'CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (1)';
const CREATE = 'CREATE TABLE pets (id int PRIMARY KEY, owner int NOT NULL, name varchar(5))';
const KEY = 'ALTER TABLE pets ADD FOREIGN KEY (owner) REFERENCES owners';

/** Loads pets, whose table is made where it is missing. */
function pets(
  rows: readonly { id: number; owner: number; name: string }[],
  more: Partial<Pick<Pipeline, 'validations' | 'creates'>> = {},
): Pipeline {
  const target = append('pets', { columns: ['id', 'owner', 'name'] });
  return {
    ...loads({ pets: [target, rows] }, { guards: ['owners', 'pets'] }),
    creates: () => ({ pets: { create: CREATE, after: [KEY] } }),
    ...more,
  };
}

const REX = [{ id: 1, owner: 1, name: 'Rex' }];
const no = validation('no', 'always says no', async () => [{ severity: 'error', message: 'no' }]);

async function withOwners(t: TestContext): Promise<{ database: TestDatabase; on: Engine }> {
  const database = await testDatabase(t);
  await database.query(OLD);
  return { database, on: engine(t, database) };
}

const isThere = async (database: TestDatabase) =>
  (await database.query("SELECT to_regclass('pets') IS NOT NULL AS there"))[0]?.there;

test('missing tables are made in one transaction, then what follows on all of them, then the record', () => {
  const at = (table: string) => ({ schema: 'public', table });
  assert.deepEqual(
    createStatements(
      '7',
      [
        { table: at('a'), sql: { create: 'CREATE TABLE a ()', after: ['CREATE INDEX ON a (b)'] } },
        { table: at('b'), sql: { create: 'CREATE TABLE b ()' } },
      ],
      { text: '"$user", app', schemas: ['app'] },
    ),
    [
      `SELECT pg_catalog.set_config('search_path', '"$user", app', true)`,
      'CREATE TABLE a ()',
      'CREATE TABLE b ()',
      'CREATE INDEX ON a (b)',
      "SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true)",
      `UPDATE sluice.migration_batch SET options = options || jsonb_build_object('made', (SELECT jsonb_agg(jsonb_build_object('schema', n.nspname, 'table', c.relname, 'oid', c.oid::bigint) ORDER BY c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY (ARRAY['"public"."a"', '"public"."b"']::regclass[]))) WHERE id = '7'`,
    ],
  );
});

test('a check and a dry run know the columns of a table that is missing, and make none', async (t) => {
  const { database, on } = await withOwners(t);
  const checked = await checkPipeline(pets(REX), on);
  assert.deepEqual(checked.findings, []);
  assert.equal(checked.plan.tables[0]?.missing, true);
  assert.equal((await on.run(pets(REX), { dryRun: true })).summary.status, 'dry run');
  // The value is refused as the column that does not exist yet would refuse it.
  const long = on.run(pets([{ id: 1, owner: 1, name: 'Maximilian' }]), { dryRun: true });
  await assert.rejects(long, /1 of 1 row was rejected/);
  assert.equal(await isThere(database), false);
});

test('a run makes the table with all that belongs to it, and its rollback drops it', async (t) => {
  const { database, on } = await withOwners(t);
  const { summary } = await on.run(pets(REX));
  assert.equal(summary.status, 'completed');
  const keys = await database.query(
    "SELECT conname FROM pg_constraint WHERE conrelid = 'pets'::regclass AND contype = 'f'",
  );
  assert.equal(keys.length, 1);
  await rollbackBatch(summary.batch as string, on);
  assert.equal(await isThere(database), false);
});

test('a table that somebody fills after the publish outlives the rollback', async (t) => {
  const { database, on } = await withOwners(t);
  const { summary } = await on.run(pets(REX));
  await database.query("INSERT INTO pets VALUES (2, 1, 'Tom')");
  const said: string[] = [];
  await rollbackBatch(summary.batch as string, { ...on, events: { warn: into(said) } });
  assert.deepEqual(await database.query('SELECT id FROM pets'), [{ id: 2 }]);
  assert.match(
    said.join('\n'),
    /public.pets, which this batch had made, stay: at least one of them is in use by now/,
  );
});

test('a run that fails, is refused, rehearses or has nothing to do leaves no table behind', async (t) => {
  const { database, on } = await withOwners(t);
  await assert.rejects(on.run(pets(REX, { validations: [no] })), /no: no/);
  assert.equal(await isThere(database), false);
  await assert.rejects(
    on.run(pets([{ id: 1, owner: 9, name: 'Stray' }])),
    (error: SluiceError) =>
      error.code === 'too_many_rejects' &&
      /^foreign_key_violation: 1$/m.test(String(error.facts.details?.[0])),
  );
  assert.equal(await isThere(database), false);
  assert.equal((await on.run(pets(REX), { rehearse: true })).summary.status, 'rehearsed');
  assert.equal(await isThere(database), false);
  assert.equal((await on.run(pets([]))).summary.status, 'unchanged');
  assert.equal(await isThere(database), false);
});

test('what is loaded and never published goes with its table at the cleanup', async (t) => {
  const { database, on } = await withOwners(t);
  assert.equal((await on.run(pets(REX), { publish: false })).summary.status, 'staged');
  assert.equal(await isThere(database), true);
  for (const leftover of await findLeftovers(on.database, 0)) await dropLeftover(on.database, leftover);
  assert.equal(await isThere(database), false);
});

test('a table that cannot be made is refused by the checks, with what the server says', async (t) => {
  const { database, on } = await withOwners(t);
  const wrong = pets(REX, { creates: () => ({ pets: { create: 'CREATE TABLE pets (id nosuchtype)' } }) });
  await assert.rejects(
    on.run(wrong),
    /the missing table public.pets cannot be made: type "nosuchtype" does not exist/,
  );
  assert.equal(await isThere(database), false);
  // What follows on the table is only tried by the run.
  const late = pets(REX, {
    creates: () => ({ pets: { create: CREATE, after: ['ALTER TABLE pets ADD CHECK (nose)'] } }),
  });
  await assert.rejects(on.run(late), /the missing table public.pets cannot be made/);
  assert.equal(await isThere(database), false);
});

test('only the tables that the pipeline knows how to make may be missing', async (t) => {
  const { on } = await withOwners(t);
  await assert.rejects(on.run(pets(REX, { creates: () => ({}) })), /there is no table pets in this database/);
});
