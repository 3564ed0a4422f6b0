import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { type Ended, sluice, startSluice } from '../../support/cli.js';
import { EMPTY, type TestDatabase, testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { tempFolder } from '../../support/files.js';
import { leftGuards, leftSchemas, runOn } from '../../support/lots.js';
import { waitUntilSlow } from '../../support/slow.js';
import { MODELS, models, PARTS_BY, parts, SYSTEM } from '../../support/system.js';
import { thingsDatabase, thingsPipeline } from '../../support/things.js';
import { until } from '../../support/until.js';

const PIPELINE = `
import { append, flow, memory, merge, pipeline, replace } from 'sluice';
const columns = ['id', 'model_id', 'amount'];
const rows = Array.from({ length: 8 }, (_, i) => ({ id: i + 1, model_id: 1 + (i % 5), amount: 7 }));
const names = Array.from({ length: 6 }, (_, i) => ({ id: i + 1, name: 'new ' + i }));
export default pipeline({
  name: 'both',
  summary: 'models replaced, parts merged',
  inputs: { models: memory('models', names), parts: memory('parts', rows) },
  tables: { models: replace('models', { columns: ['id', 'name'] }), parts: merge('parts', { columns, key: ['id'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.models).into(tables.models), flow(inputs.parts).into(tables.parts)],
});
`;

/** The command line, P being the pipeline: `start` in a process of its own, which the test may kill. */
function cli(t: TestContext, database: TestDatabase) {
  const cwd = tempFolder(t);
  const pipeline = join(cwd, 'both.mjs');
  writeFileSync(pipeline, PIPELINE);
  const options = { cwd, env: { DATABASE_URL: database.url } };
  const named = (words: readonly string[]) => words.map((word) => (word === 'P' ? pipeline : word));
  const told = ({ code, stdout, stderr }: Ended) => ({ code, said: stderr + stdout });
  return {
    run: async (...words: string[]) => told(await sluice(named(words), options)),
    start: (...words: string[]) => {
      const { child, said, ended } = startSluice(named(words), { ...options, input: '' });
      t.after(() => child.kill('SIGKILL'));
      return { child, said, done: ended.then(told) };
    },
  };
}

/** Waits until a statement of the window waits for a lock. */
const inTheWindow = (database: TestDatabase) =>
  until('a wait in the window', async () => {
    const waiting = await database.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
       AND application_name ~ '^sluice batch \\d+ (publish|guard)'`,
    );
    return waiting.length > 0;
  });

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

/** No session of the killed command is left on the server. */
const sessionsGone = (database: TestDatabase) =>
  until('the end of the killed command’s sessions', async () => {
    const left = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name ~ '^sluice'",
    );
    return left.length === 0;
  });

const contents = async (database: TestDatabase) => ({
  models: (await database.query("SELECT FROM models WHERE name LIKE 'new%'")).length,
  parts: (await database.query('SELECT FROM parts WHERE amount = 7')).length,
});

for (const release of ['at once', 'after its time'] as const)
  test(`a command killed in the window, whose lock comes ${release}: all is published and the ledger says so, or nothing is`, async (t) => {
    const database = await testDatabase(t, { template: EMPTY });
    await database.query(SYSTEM);
    const reader = await database.connect();
    await reader.query('BEGIN; SELECT FROM models');
    const { child } = cli(t, database).start('run', 'P', '--yes');
    await inTheWindow(database);
    await kill(child);
    // By then the server has given up its wait, and noticed that nobody is there.
    if (release === 'after its time') await sessionsGone(database);
    await reader.query('COMMIT');
    await sessionsGone(database);
    const { database: own, run, warnings } = engine(t, database);
    const { status } = await findBatch(own, '1');
    t.diagnostic(`the outcome: ${status}`);
    if (release === 'at once') assert.ok(status === 'completed' || status === 'staged', status);
    else assert.equal(status, 'staged');
    assert.deepEqual(
      await contents(database),
      status === 'completed' ? { models: 6, parts: 8 } : { models: 0, parts: 0 },
    );
    // The next command tells what happened and takes what was left off the live tables.
    await run(loads({ parts: [PARTS_BY.append, parts(1, 1, 90)] }));
    assert.match(
      warnings.join('\n'),
      status === 'completed'
        ? /batch 1 .*publish committed: it is live/
        : /batch 1 .*still staged; sluice swap 1/,
    );
    assert.equal((await findBatch(own, '1')).phase, null);
    await database.query("INSERT INTO models VALUES (70, 'live'); INSERT INTO parts VALUES (70, 70, 1)");
    // A staged batch goes on being guarded: it may still be published.
    const triggers = await database.query(
      "SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal AND relname IN ('models', 'parts')",
    );
    assert.equal(triggers.length, status === 'completed' ? 0 : 8);
  });

test('a command killed between attempts leaves its batch staged; swap publishes it', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(SYSTEM);
  const reader = await database.connect();
  const command = cli(t, database);
  await reader.query('BEGIN; SELECT FROM models');
  const { child, said } = command.start('run', 'P', '--yes');
  await said('gave way');
  await said('in the way: pid ');
  await kill(child);
  await reader.query('COMMIT');
  await sessionsGone(database);
  assert.deepEqual(await contents(database), { models: 0, parts: 0 });
  const status = await command.run('status', '1');
  assert.match(status.said, /staged/);
  assert.match(status.said, /sluice swap 1 --pipeline \S+both\.mjs/);
  const swapped = await command.run('swap', '1', '--pipeline', 'P', '--yes');
  assert.equal(swapped.code, 0, swapped.said);
  assert.deepEqual(await contents(database), { models: 6, parts: 8 });
});

test('a command killed during the load: nothing is live, and the next run clears its guard away', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(SYSTEM);
  const command = cli(t, database);
  const blocker = await database.connect();
  await blocker.query('BEGIN; LOCK TABLE parts IN ROW EXCLUSIVE MODE');
  const { child } = command.start('run', 'P', '--yes');
  await until('the guard', async () => {
    const armed = await database.query("SELECT FROM pg_trigger WHERE tgname ~ '^sluice_guard'");
    return armed.length > 0;
  });
  await kill(child);
  await blocker.query('COMMIT');
  await sessionsGone(database);
  const { run, warnings } = engine(t, database);
  await run(loads({ models: [MODELS, models(3 + 2)] }));
  assert.match(warnings.join('\n'), /batch 1 .*interrupted/);
  assert.deepEqual(await database.query("SELECT FROM pg_trigger WHERE tgname ~ '^sluice_guard_1_'"), []);
});

test('a second run on the same tables is refused, naming the first; on others it goes on', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(SYSTEM);
  const command = cli(t, database);
  const reader = await database.connect();
  await reader.query('BEGIN; SELECT FROM models');
  const first = command.start('run', 'P', '--yes');
  await first.said('gave way');
  const second = await command.run('run', 'P', '--yes', '--guard', 'off');
  assert.equal(second.code, 3, second.said);
  assert.match(second.said, /another batch is working on public\.(models|parts)/);
  assert.match(second.said, /pid \d+ \(\w+, sluice control; /);
  const { run } = engine(t, database);
  await database.query('CREATE TABLE apart (id int PRIMARY KEY)');
  const { append } = await import('../../../src/core/target.js');
  const other = await run(loads({ apart: [append('apart', { columns: ['id'] }), [{ id: 1 }]] }));
  assert.equal(other.summary.status, 'completed');
  await reader.query('COMMIT');
  const done = await first.done;
  assert.equal(done.code, 0, done.said);
  assert.deepEqual(await contents(database), { models: 6, parts: 8 });
});

test('plan shows the publish as it would be, with who holds the locks, and writes nothing', async (t) => {
  const database = await testDatabase(t, { template: EMPTY });
  await database.query(SYSTEM);
  const command = cli(t, database);
  const reader = await database.connect({ application_name: 'a long report' });
  await reader.query('BEGIN; SELECT FROM models');
  const text = await command.run('plan', 'P');
  assert.equal(text.code, 0, text.said);
  assert.match(
    text.said,
    /public\.models {2}ACCESS EXCLUSIVE\n {4}held now by pid \d+ \(\w+, a long report; /,
  );
  assert.match(text.said, /ALTER TABLE "sluice_staging_<batch>"\."models" SET SCHEMA "public"/);
  assert.match(text.said, /taken\n {2}ALTER VIEW "public"\."stock" OWNER TO \S+\n {2}public\.models/);
  assert.match(text.said, /view {2}.*stock/);
  const json = JSON.parse((await command.run('plan', 'P', '--json', '--quiet')).said);
  assert.deepEqual(
    json.publish.locks
      .filter((l: { schema: string }) => l.schema === 'public')
      .map((l: { table: string }) => l.table),
    ['models', 'parts'],
  );
  assert.deepEqual(json.publish.guard, { how: 'journal', tables: ['public.models', 'public.parts'] });
  assert.ok(json.publish.disk.tables[0].staging > 0);
  const dry = await command.run('run', 'P', '--dry-run');
  assert.equal(dry.code, 0, dry.said);
  assert.match(dry.said, /held now by pid \d+/);
  assert.match(dry.said, /carried over/);
  await reader.query('COMMIT');
  const made = await database.query("SELECT nspname FROM pg_namespace WHERE nspname ~ '^sluice'");
  assert.deepEqual(made, []);
  await database.query('CREATE MATERIALIZED VIEW held AS SELECT * FROM models');
  const refused = await command.run('plan', 'P');
  assert.equal(refused.code, 3, refused.said);
  assert.match(refused.said, /materialized view.*held/);
  assert.match(refused.said, /read the table through a view/);
});

test('a connection that is lost just after the publish is a warning: it is published, and the next command tidies up', async (t) => {
  const database = await thingsDatabase(t);
  await database.query(`
    CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN IF $1 LIKE 'thing%' THEN PERFORM pg_sleep(60); END IF; RETURN $1; END $$;
    CREATE VIEW shown AS SELECT id, name FROM things;
    CREATE MATERIALIZED VIEW seen AS SELECT id, public.slow(name) AS name FROM shown`);
  const running = runOn(t, database, thingsPipeline());
  const pid = await waitUntilSlow(database, /./);
  await database.query('SELECT pg_terminate_backend($1)', [pid]);
  const { summary, said } = await running;
  assert.equal(summary.status, 'completed');
  assert.match(said.join('\n'), /batch 1 is published|refresh/i);
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 10 }]);
  await database.query('CREATE OR REPLACE FUNCTION slow(text) RETURNS text LANGUAGE sql AS $$ SELECT $1 $$');
  const again = await runOn(t, database, thingsPipeline({ rows: 11 }));
  assert.equal(again.summary.status, 'completed');
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_1', 'sluice_old_2']);
});
