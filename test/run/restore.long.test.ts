import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import lots from '../../pipelines/lot-consolidation/index.js';
import milestones from '../../pipelines/milestones-to-sections/index.js';
import okvet from '../../pipelines/okvet-import/index.js';
import recipes from '../../pipelines/recipe-snapshots/index.js';
import tasks from '../../pipelines/tasks-to-operations/index.js';
import { type BackedUp, backUp } from '../../src/backup/backup.js';
import { restoreBackup } from '../../src/backup/restore.js';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import type { Source } from '../../src/core/types.js';
import { withQuietRun } from '../../src/run/inputs/quiet-run.js';
import { bakery } from '../support/bakery.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { tempFolder } from '../support/files.js';
import { lotSystem, runOn } from '../support/lots.js';
import { machineShop } from '../support/machining.js';
import { fromFile, milestoneFile, milestoneSystem } from '../support/milestones.js';
import { practiceDatabase, practiceFiles } from '../support/okvet.js';

type Inputs = Readonly<Record<string, Source>>;

function backedUp(
  t: TestContext,
  pipeline: Pipeline,
  on: TestDatabase,
  inputs: Inputs = {},
): Promise<BackedUp> {
  const { database, log } = engine(t, on);
  return withQuietRun({ database, log }, (run) =>
    backUp(pipeline, { ...pipeline.inputs, ...inputs }, run, tempFolder(t)),
  );
}

function restored(t: TestContext, directory: string, on: TestDatabase) {
  const { database, log } = engine(t, on);
  return withQuietRun({ database, log }, (run) => restoreBackup(directory, run));
}

const refused = (work: Promise<unknown>): Promise<SluiceError> =>
  work.then(
    () => assert.fail('it was restored'),
    (error) => error,
  );

const csvs = ({ directory, tables }: BackedUp) =>
  Object.fromEntries(tables.map(({ table, file }) => [table, readFileSync(join(directory, file), 'utf8')]));

/** The schema, but for the casts of a check, which the server writes otherwise once it has read them. */
const schemaOf = ({ directory }: BackedUp) =>
  readFileSync(join(directory, 'schema.sql'), 'utf8').replace(/CHECK .*/g, (check) =>
    check.replace(/::(text|character varying)(\[\])?|[()]/g, ''),
  );

interface System {
  readonly pipeline: Pipeline;
  readonly database: (t: TestContext) => Promise<TestDatabase>;
  readonly inputs?: Inputs;
  /** What a run touches besides: tables that keys lead to or from, that show who somebody is, or that it makes. */
  readonly touched?: readonly string[];
  /** Tables that keys lead to, and that the pipeline has nothing to do with. */
  readonly beside?: readonly string[];
}

const SYSTEMS: readonly System[] = [
  { pipeline: lots, database: lotSystem, touched: ['inspections'] },
  {
    pipeline: tasks,
    database: machineShop,
    touched: [
      'auth_user',
      'machines_machine',
      'tasks_part',
      'tasks_operation',
      'tasks_partcostagg',
      'tasks_partcostagguser',
    ],
    beside: ['auth_user', 'machines_machine'],
  },
  { pipeline: milestones, database: milestoneSystem },
  { pipeline: recipes, database: (t) => bakery(t) },
  { pipeline: okvet, database: practiceDatabase, inputs: practiceFiles() },
];

for (const { pipeline, database: system, inputs = {}, touched: besides = [], beside = [] } of SYSTEMS) {
  test(`${pipeline.name}: a backup holds all that a run reads or changes, and comes back into an empty database`, async (t) => {
    const database = await system(t);
    const made = await backedUp(t, pipeline, database, inputs);

    const empty = await testDatabase(t);
    const { tables, notes } = await restored(t, made.directory, empty);
    assert.ok(tables.every((each) => each.made));
    const without = notes.filter((note) => !/^the input is /.test(note));
    assert.deepEqual(
      without.map((note) => /^public\.(\w+) is not there/.exec(note)?.[1]),
      beside,
    );
    const again = await backedUp(t, pipeline, empty, inputs);
    assert.deepEqual(csvs(again), csvs(made));
    const outward = new RegExp(`^.*REFERENCES public\\.(${beside.join('|')})\\(.*\\n`, 'gm');
    assert.equal(schemaOf(again), beside.length === 0 ? schemaOf(made) : schemaOf(made).replace(outward, ''));

    await database.query('SELECT pg_stat_reset()');
    await runOn(t, database, pipeline, {
      inputs,
      maxRejects: { rows: 1000 },
      settings: pipeline.settings?.backup === undefined ? {} : { backup: 'off' },
    });
    const touched = await database.query<{ name: string }>(
      `SELECT CASE schemaname WHEN 'public' THEN relname ELSE schemaname || '.' || relname END AS name
       FROM pg_stat_user_tables WHERE schemaname NOT LIKE 'sluice%' AND (seq_scan > 0 OR idx_scan > 0 OR n_tup_ins > 0) ORDER BY 1`,
    );
    const held = made.tables.map(({ table }) => table);
    assert.deepEqual(
      touched.map(({ name }) => name).filter((name) => !held.includes(name) && !besides.includes(name)),
      [],
    );
  });
}

test('a restore is all or nothing: tables with rows, other columns and damaged files are refused by name', async (t) => {
  const database = await lotSystem(t);
  const made = await backedUp(t, lots, database);
  const full = await refused(restored(t, made.directory, database));
  assert.match(full.message, /4 tables are not empty: /);
  assert.match(full.facts.state ?? '', /nothing was changed/);

  const other = await testDatabase(t);
  await other.query('CREATE TABLE lots (id int)');
  const error = await refused(restored(t, made.directory, other));
  assert.equal(error.code, 'other_columns');
  assert.match([error.facts.details].flat().join('\n'), /^lots lacks .*lot_number/);

  // A row that breaks a key only becomes known at the end.
  const lost = await testDatabase(t);
  const file = join(made.directory, 'production_lines.csv');
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, whole.split('\n').slice(0, 1).join('\n'));
  assert.equal((await refused(restored(t, made.directory, lost))).code, 'damaged_backup');
  assert.deepEqual(
    await lost.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"),
    [],
  );
});

test('rows go back into tables that the application has made: triggers do not fire, keys and sequences are as they were', async (t) => {
  const database = await lotSystem(t);
  const made = await backedUp(t, lots, database);
  const other = await lotSystem(t, { data: false });
  await other.query('TRUNCATE production_lines, product_models CASCADE');
  const before = await other.query(FACTS);
  const { tables } = await restored(t, made.directory, other);
  assert.ok(tables.every((each) => !each.made));
  assert.deepEqual(csvs(await backedUp(t, lots, other)), csvs(made));
  assert.deepEqual(await other.query(FACTS), before);
  const next = "SELECT nextval(pg_get_serial_sequence('serials', 'id')) AS id";
  assert.deepEqual(await other.query(next), await database.query(next));
});

const FACTS = `
  SELECT conrelid::regclass::text AS table, conname AS name, pg_get_constraintdef(oid) AS what FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`;

test('an SQLite file, and the tables that its rows go to, are in one backup', async (t) => {
  const database = await milestoneSystem(t, { old: false });
  const path = await milestoneFile(t);
  await runOn(t, database, milestones, { inputs: fromFile(path) });
  const made = await backedUp(t, milestones, database, fromFile(path));
  assert.ok(made.database !== null);
  assert.ok(made.tables.some(({ table, rows }) => table === 'v2.supplier_task_instances' && rows > 0));
  const empty = await testDatabase(t);
  const { notes } = await restored(t, made.directory, empty);
  assert.match(notes.join(), /the SQLite file is .*old\.db: copy it to where it is to be/);
  const [count] = await empty.query('SELECT count(*)::int AS n FROM v2.supplier_task_instances');
  assert.deepEqual(count, {
    n: made.tables.find(({ table }) => table === 'v2.supplier_task_instances')?.rows,
  });
});
