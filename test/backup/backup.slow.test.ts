import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import library from 'node-sqlite3-wasm';
import lots from '../../pipelines/lot-consolidation/index.js';
import { backUp } from '../../src/backup/backup.js';
import { checkRestore } from '../../src/backup/restore-check.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import { withQuietRun } from '../../src/run/inputs/quiet-run.js';
import { type TestDatabase, testDatabase } from '../support/database.js';
import { engine } from '../support/engine.js';
import { tempFolder } from '../support/files.js';
import { lotSystem } from '../support/lots.js';
import { oldTasks, tasksDatabase, tasksPipeline } from '../support/old-tasks.js';
import { into } from '../support/said.js';

async function backedUp(t: TestContext, pipeline: Pipeline, on: TestDatabase) {
  const { database, log } = engine(t, on);
  const into = tempFolder(t);
  const made = await withQuietRun({ database, log }, (run) => backUp(pipeline, pipeline.inputs, run, into));
  const check = () => withQuietRun({ database, log }, (run) => checkRestore(made.directory, run));
  return { made, into, check };
}

/** What is wrong, by file. */
const wrong = ({ looked }: Awaited<ReturnType<typeof checkRestore>>) =>
  Object.fromEntries(
    looked.flatMap(({ file, wrong }) => (wrong.length === 0 ? [] : [[file, wrong.join('; ')]])),
  );

test('an SQLite file is backed up whole, its critical tables as CSV, with schema and manifest', async (t) => {
  const path = oldTasks(
    t,
    "INSERT INTO suppliers VALUES ('s3', ''), ('s4', 'quote \" comma, \nline'); PRAGMA user_version = 7;",
  );
  const { made, into, check } = await backedUp(t, tasksPipeline(path), await tasksDatabase(t));
  assert.deepEqual(readdirSync(made.directory).sort(), [
    'app.db',
    'manifest.json',
    'new_tasks.csv',
    'schema.sql',
    'suppliers.csv',
    'target-schema.sql',
    'tasks.csv',
  ]);
  for (const name of readdirSync(made.directory))
    assert.equal(statSync(join(made.directory, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(made.directory).mode & 0o777, 0o700);
  assert.equal(
    readFileSync(join(made.directory, 'suppliers.csv'), 'utf8'),
    'id,name\ns1,One\ns2,"<script>alert(""two"")</script>"\ns3,""\ns4,"quote "" comma, \nline"\n',
  );
  assert.match(readFileSync(join(made.directory, 'tasks.csv'), 'utf8'), /^1,s1,pending,1709284500000,,0$/m);
  assert.match(
    readFileSync(join(made.directory, 'schema.sql'), 'utf8'),
    /CREATE TABLE suppliers[\s\S]*user_version = 7/,
  );
  assert.deepEqual(made.database?.rows, { suppliers: 4, tasks: 2 });
  const copy = new library.Database(join(made.directory, 'app.db'), { readOnly: true });
  t.after(() => copy.close());
  assert.deepEqual(copy.all('SELECT count(*) AS n FROM suppliers'), [{ n: 4 }]);
  assert.deepEqual(wrong(await check()), {});
  assert.equal(readdirSync(into).length, 1);
});

test('a flipped byte, a missing file and an added row are each named', async (t) => {
  const { made, check } = await backedUp(t, tasksPipeline(oldTasks(t)), await tasksDatabase(t));
  const at = (name: string) => join(made.directory, name);
  const flipped = openSync(at('app.db'), 'r+');
  // In the freed part of the last page: SQLite itself would not notice.
  writeSync(flipped, Buffer.from('x'), 0, 1, statSync(at('app.db')).size - 2000);
  closeSync(flipped);
  rmSync(at('schema.sql'));
  appendFileSync(at('tasks.csv'), '9,s1,pending,0,,0\n');
  appendFileSync(at('notes.txt'), 'somebody’s');
  const checked = await check();
  assert.equal(checked.ok, false);
  const found = wrong(checked);
  assert.deepEqual(Object.keys(found).sort(), ['app.db', 'schema.sql', 'tasks.csv']);
  assert.match(found['app.db'] ?? '', /its content is another one/);
  assert.equal(found['schema.sql'], 'it is missing');
  assert.match(found['tasks.csv'] ?? '', /it has 3 rows, and had 2/);
  assert.deepEqual(checked.strangers, ['notes.txt']);
});

test('a folder that is no backup, and a manifest that points elsewhere, are refused', async (t) => {
  const { made, check } = await backedUp(t, tasksPipeline(oldTasks(t)), await tasksDatabase(t));
  const manifest = join(made.directory, 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  chmodSync(manifest, 0o600);
  const write = (content: string) => {
    rmSync(manifest);
    appendFileSync(manifest, content);
  };
  write(text.replace('"file": "schema.sql"', '"file": "../schema.sql"'));
  await assert.rejects(check(), /names a file outside the folder/);
  write('{');
  await assert.rejects(check(), /manifest\.json is damaged/);
  rmSync(manifest);
  await assert.rejects(check(), /is not a backup: it has no manifest\.json/);
});

test('a backup that fails leaves nothing', async (t) => {
  const { database, log } = engine(t, await tasksDatabase(t));
  const into = tempFolder(t);
  const pipeline = tasksPipeline(oldTasks(t), { backup: { tables: ['suplier', 'tasks'] } });
  await assert.rejects(
    withQuietRun({ database, log }, (run) => backUp(pipeline, pipeline.inputs, run, into)),
    (error: Error & { facts: { next: string } }) => {
      assert.match(error.message, /there is no table suplier/);
      assert.match(error.facts.next, /did you mean suppliers/);
      return true;
    },
  );
  assert.deepEqual(readdirSync(into), []);
});

test('tables of PostgreSQL are backed up as CSV and schema, and the schema makes them again', async (t) => {
  const database = await lotSystem(t);
  const { made, check } = await backedUp(t, lots, database);
  assert.deepEqual(
    made.tables.map(({ table, rows }) => [table, rows]),
    [
      ['production_lines', 3],
      ['product_models', 2],
      ['lots', 13],
      ['serials', 370],
    ],
  );
  assert.equal(made.database, null);
  assert.deepEqual(wrong(await check()), {});
  const schema = readFileSync(join(made.directory, 'schema.sql'), 'utf8');
  const empty = await testDatabase(t);
  await empty.query(schema);
  const [again] = await empty.query(
    "SELECT count(*)::int AS n FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  );
  assert.deepEqual(again, { n: 4 });
});

test('a run makes the backup that its pipeline wants before it loads, and keeps it', async (t) => {
  const database = await tasksDatabase(t);
  const cwd = process.cwd();
  const folder = tempFolder(t);
  process.chdir(folder);
  t.after(() => process.chdir(cwd));
  const notes: string[] = [];
  const pipeline = tasksPipeline(oldTasks(t), { backup: { withRun: true } });
  const { run } = engine(t, database);
  await run(pipeline, { rehearse: true });
  assert.deepEqual(readdirSync(folder), [], 'a rehearsal publishes nothing and needs none');
  const { summary } = await run(pipeline, { events: { note: into(notes) } });
  assert.equal(summary.status, 'completed');
  const [made] = readdirSync(join(folder, '.sluice', 'backups'));
  assert.match(made ?? '', /^tasks-\d{8}-\d{6}$/);
  assert.match(notes.join(), /sluice restore-check/);
});
