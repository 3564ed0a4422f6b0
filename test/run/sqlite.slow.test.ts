import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import library from 'node-sqlite3-wasm';
import { command } from '../../src/core/next.js';
import { replace } from '../../src/core/target.js';
import { assertSameInputs, recordInputs } from '../../src/run/inputs/fingerprint.js';
import { findPublished, validateBatch } from '../../src/run/maintain/revalidate.js';
import { sqlite } from '../../src/sources/sqlite/index.js';
import { engine, loads } from '../support/engine.js';
import { tempFolder } from '../support/files.js';
import { oldTasks, tasksDatabase, tasksPipeline, WRONG_TASKS } from '../support/old-tasks.js';
import { testRun } from '../support/run.js';
import { sqliteFile } from '../support/sqlite.js';

test('an SQLite file is loaded and published; the batch says where it came from, and nothing stays in scratch', async (t) => {
  const database = await tasksDatabase(t);
  const path = oldTasks(t);
  const scratch = tempFolder(t);
  const { TMPDIR } = process.env;
  t.after(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  process.env.TMPDIR = scratch;
  const { summary } = await engine(t, database).run(tasksPipeline(path));
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT * FROM new_tasks ORDER BY id'), [
    { id: 1, status: 'pending', applied: false },
    { id: 2, status: 'completed', applied: true },
  ]);
  assert.deepEqual(await database.query('SELECT source, source_file FROM sluice.migration_batch'), [
    { source: 'sqlite', source_file: path },
  ]);
  assert.deepEqual(readdirSync(scratch), []);
});

test('dates that are seconds are published as the moments that they are, and it is said; mixed ones publish nothing', async (t) => {
  const database = await tasksDatabase(t);
  await database.query('CREATE TABLE moments (id int PRIMARY KEY, at timestamptz)');
  const path = sqliteFile(
    t,
    'CREATE TABLE e (id INTEGER, at DATETIME); INSERT INTO e VALUES (1, 1706933106)',
  );
  const into = replace('moments', { columns: ['id', 'at'] });
  const { run } = engine(t, database);
  const notes: string[] = [];
  const events = { note: (text: string) => notes.push(text) };
  await run(loads({ moments: [into, sqlite(path, { table: 'e' })] }), { events });
  const published = "SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS at FROM moments";
  assert.deepEqual(await database.query(published), [{ at: '2024-02-03 04:05:06' }]);
  assert.match(notes.join('\n'), /input moments: at holds seconds since 1970, up to 2024-02-03 04:05:06\+00/);
  const application = new library.Database(path);
  application.exec('INSERT INTO e VALUES (2, 1706933106123)');
  application.close();
  await assert.rejects(
    run(loads({ moments: [into, sqlite(path, { table: 'e' })] })),
    /the numbers in column at are not dates of one unit/,
  );
  assert.deepEqual(await database.query(published), [{ at: '2024-02-03 04:05:06' }]);
});

test('a value that its column cannot hold is a reject with its ordinal', async (t) => {
  const database = await tasksDatabase(t);
  const path = oldTasks(t, "INSERT INTO tasks VALUES (7, 's1', 'pending', 0, NULL, 'perhaps');");
  const run = engine(t, database).run(tasksPipeline(path, {}), { maxRejects: { rows: 1 } });
  // The old system has one more than is published: the pipeline's own validation says so.
  await assert.rejects(run, /as-many-tasks: there were 3, and there are 2/);
  const [reject] = await database.query<{ line: number; field: string }>(
    'SELECT line::int AS line, column_name AS field FROM sluice.migration_reject',
  );
  assert.deepEqual(reject, { line: 3, field: 'applied' });
});

test('errors of the assessment refuse a run before anything is written; warnings do not', async (t) => {
  const database = await tasksDatabase(t);
  const { run, warnings } = engine(t, database);
  await assert.rejects(
    run(tasksPipeline(oldTasks(t, WRONG_TASKS))),
    (error: Error & { facts: { details: string[] } }) => {
      assert.match(error.message, /the checks refused: 2 reasons/);
      assert.match(
        error.facts.details.join('\n'),
        /tasks\.supplierId → suppliers: .* not so in 1 of 4 rows\n {2}supplierId gone: 1 row/,
      );
      return true;
    },
  );
  const mild = "INSERT INTO tasks VALUES (4, 's1', 'completed', '2024-03-02 09:00:00', 1709284500000, 1);";
  const { summary } = await run(tasksPipeline(oldTasks(t, mild)));
  assert.equal(summary.status, 'completed');
  assert.match(warnings.join('\n'), /completedAt of tasks is not before createdAt: not so in 1 of 3 rows/);
});

test('the validations of a published batch are asked again, of live and of the old system', async (t) => {
  const database = await tasksDatabase(t);
  const path = oldTasks(t);
  const pipeline = tasksPipeline(path);
  const { database: ours, run, log } = engine(t, database);
  const { summary } = await run(pipeline);
  const id = summary.batch as string;
  const ask = async () => validateBatch(pipeline, await findPublished(ours, id), { database: ours, log });
  assert.deepEqual(
    (await ask()).validations.map(({ name, ok }) => [name, ok]),
    [['as-many-tasks', true]],
  );
  await database.query('DELETE FROM new_tasks WHERE id = 2');
  const after = await ask();
  assert.equal(after.ok, false);
  assert.match(after.validations[0]?.findings[0]?.message ?? '', /there were 2, and there are 1/);
  const gone = await validateBatch(tasksPipeline('/nowhere/app.db'), await findPublished(ours, id), {
    database: ours,
    log,
  });
  assert.match(gone.validations[0]?.findings[0]?.message ?? '', /could not be asked: there is no file/);
});

test('only a published batch is validated', async (t) => {
  const database = await tasksDatabase(t);
  const { database: ours, run } = engine(t, database);
  const { summary } = await run(tasksPipeline(oldTasks(t)), { publish: false });
  await assert.rejects(findPublished(ours, summary.batch as string), /is staged: there is nothing of it/);
});

test('a file that has changed since is not resumed with', async (t) => {
  const path = oldTasks(t);
  const inputs = tasksPipeline(path).inputs;
  const before = await recordInputs(inputs, {}, testRun());
  assertSameInputs(before, await recordInputs(inputs, {}, testRun()), command('run', ['tasks']));
  const application = new library.Database(path);
  application.exec("INSERT INTO suppliers VALUES ('s9', 'Nine')");
  application.close();
  const after = await recordInputs(inputs, {}, testRun());
  assert.throws(
    () => assertSameInputs(before, after, command('run', ['tasks'])),
    /not what it was when the batch began/,
  );
});
