import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { csv, load, rollback, run, swap } from 'sluice';
import { testDatabase } from '../support/database.js';
import { tempFolder } from '../support/files.js';
import { long } from '../support/long.js';
import { HOSTS, writePipeline } from '../support/threaded.js';
import { thrown } from '../support/thrown.js';

const ROWS = 500;
const WHERE = 'SELECT count(*)::int AS n, min(thread) > 0 AS elsewhere FROM hosts';

async function world(t: TestContext) {
  const database = await testDatabase(t);
  await database.query(HOSTS);
  const folder = tempFolder(t);
  const source = join(folder, 'given.csv');
  const lines = Array.from({ length: ROWS }, (_, id) => `${id},host ${id},10.0.0.1`);
  writeFileSync(source, ['id,name,address', ...lines, ''].join('\n'));
  const path = writePipeline(folder);
  const said: string[] = [];
  const to = { database: database.url, events: { note: (text: string) => said.push(text) } };
  return { database, folder, source, path, pipeline: pathToFileURL(path), to, said };
}

test('a pipeline that is given by the URL of its module is made again by the threads of its run', async (t) => {
  const { database, path, source, pipeline, to, said } = await world(t);
  const { batch, read } = await run(pipeline, { ...to, threads: 2, inputs: { hosts: source } });
  assert.equal(read, ROWS);
  assert.deepEqual(await database.query(WHERE), [{ n: ROWS, elsewhere: true }]);
  assert.deepEqual(
    said.filter((each) => /threads/.test(each)),
    [],
  );
  // Commands about the batch know its file.
  assert.deepEqual(await database.query('SELECT pipeline_from FROM sluice.migration_batch'), [
    { pipeline_from: path },
  ]);
  assert.equal((await rollback(batch ?? '', to)).whole, true);
});

test('what only this thread has is loaded by it, and that is said', async (t) => {
  const { database, source, pipeline, to, said } = await world(t);
  const own = csv(source, { columns: ['id', 'name', 'address'] });
  await run(pipeline, { ...to, threads: 2, inputs: { hosts: own } });
  assert.deepEqual(await database.query(WHERE), [{ n: ROWS, elsewhere: false }]);
  assert.match(said.join('\n'), /without threads: its pipeline or an input was made by a program/);
});

test('the same for workers on other hosts', async (t) => {
  const { database, source, pipeline, to, said } = await world(t);
  const own = csv(source, { columns: ['id', 'name', 'address'] });
  await run(pipeline, { ...to, workers: true, inputs: { hosts: own } });
  assert.deepEqual(await database.query(WHERE), [{ n: ROWS, elsewhere: false }]);
  assert.match(said.join('\n'), /by this host alone: its pipeline or an input was made by a program/);
});

test('a module is staged and published as its pipeline is', async (t) => {
  const { database, source, pipeline, to } = await world(t);
  const staged = await load(pipeline, { ...to, inputs: { hosts: source } });
  assert.equal((await swap(pipeline, staged.batch ?? '', to)).status, 'completed');
  assert.deepEqual(await database.query(WHERE), [{ n: ROWS, elsewhere: false }]);
});

test('a URL without a pipeline behind it is refused, and nothing is begun', async (t) => {
  const { folder, to } = await world(t);
  const gone = await thrown(run(pathToFileURL(join(folder, 'gone.ts')), to));
  assert.match(`${gone.code} ${gone.message}`, /^no_such_pipeline .*gone\.ts/);
  writeFileSync(join(folder, 'none.mjs'), 'export default 1;\n');
  const none = await thrown(run(pathToFileURL(join(folder, 'none.mjs')), to));
  assert.match(`${none.code} ${none.message}`, /^bad_pipeline .*none\.mjs does not export a pipeline/);
});

long('a module that calls run as it is imported does so once, and not in each thread', async (t) => {
  const { database, path, source, pipeline, to } = await world(t);
  const again = JSON.stringify({ database: database.url, inputs: { hosts: source } });
  appendFileSync(
    path,
    `import { run, status } from 'sluice';\nif (threadId > 0) await run(new URL(import.meta.url), ${again});\n`,
  );
  const error = await thrown(run(pipeline, { ...to, threads: 2, inputs: { hosts: source } }));
  assert.equal(error.code, 'bad_pipeline');
  assert.match(error.message, /calls Sluice when it is imported/);
  assert.deepEqual(await database.query('SELECT id FROM sluice.migration_batch'), [{ id: '1' }]);
  assert.deepEqual(await database.query('SELECT * FROM hosts'), []);
});
