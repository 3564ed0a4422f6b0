import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { named } from '../../src/core/types.js';
import { PgDatabase } from '../../src/db/connect.js';
import { acquireEmbedded, stopEmbedded } from '../../src/db/embedded/index.js';
import { freePort } from '../../src/db/embedded/start.js';
import { runPipeline } from '../../src/run/run.js';
import { ask, embeddedDirectory } from '../support/embedded.js';
import { thingsPipeline } from '../support/things.js';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A server of the test's own, with the table `things` in it; it always comes back on the same port. */
async function ownServer(t: TestContext) {
  const directory = embeddedDirectory(t);
  const settings = { port: String(await freePort()) };
  const start = () => acquireEmbedded({ directory, durable: false, settings });
  const server = await start();
  t.after(() => server.release());
  await ask(server.url, 'CREATE TABLE things (id integer PRIMARY KEY, name text NOT NULL)');
  await ask(server.url, "INSERT INTO things VALUES (0, 'the old one')");
  return { directory, server, start };
}

const runAt = async (t: TestContext, url: string, pipeline: ReturnType<typeof thingsPipeline>) => {
  const database = new PgDatabase({ url, described: 'the server', from: 'the test' });
  t.after(() => database.close());
  return runPipeline(pipeline, { database, log }).then(
    () => assert.fail('it was published'),
    (error: unknown) => {
      assert.ok(error instanceof SluiceError, String(error));
      return error;
    },
  );
};

test('a server that restarts in the middle of a load fails the batch, which says why', async (t) => {
  const { directory, server, start } = await ownServer(t);
  let restarted: Promise<unknown> | undefined;
  let chunks = 0;
  const restart = named('restart', async function* (rows) {
    for await (const chunk of rows) {
      yield chunk;
      // The first has been written: the load has its session.
      if (++chunks !== 2) continue;
      restarted = stopEmbedded({ directory, force: true }).then(start);
      await restarted;
    }
  });
  const error = await runAt(t, server.url, thingsPipeline({ rows: 20_000, stage: restart as never }));
  const again = (await restarted) as Awaited<ReturnType<typeof start>>;
  t.after(() => again.release());
  assert.equal(error.code, 'connection_lost', error.message);
  assert.equal(await ask(again.url, 'SELECT count(*)::int FROM things'), 1);
  const status = await ask(again.url, 'SELECT status FROM sluice.migration_batch');
  assert.match(error.facts.state ?? '', /batch 1 is failed/);
  assert.equal(status, 'failed');
});

test('an expired or changed password is said so, before anything is written', async (t) => {
  const { server } = await ownServer(t);
  await ask(server.url, "CREATE ROLE tired LOGIN PASSWORD 'secret' VALID UNTIL '2000-01-01'");
  const url = new URL(server.url);
  url.username = 'tired';
  url.password = 'secret';
  for (const password of ['secret', 'another']) {
    url.password = password;
    const error = await runAt(t, url.href, thingsPipeline());
    assert.equal(error.code, 'no_connection');
    assert.equal(error.facts.sqlstate, '28P01');
    assert.match(error.message, /the password is wrong for that user, or has expired/);
  }
});

test('a limit of the server on space fails the batch with its name, and live is as it was', async (t) => {
  const { server } = await ownServer(t);
  await ask(server.url, 'CREATE INDEX ON things (name)');
  await ask(server.url, "ALTER DATABASE sluice SET temp_file_limit = '64kB'");
  await ask(server.url, "ALTER DATABASE sluice SET maintenance_work_mem = '1MB'");
  const wide = named('wide', async function* (rows) {
    for await (const chunk of rows)
      yield (chunk as readonly { id: string }[]).map(({ id }) => ({ id, name: id.repeat(20) }));
  });
  const error = await runAt(t, server.url, thingsPipeline({ rows: 60_000, stage: wide as never }));
  assert.equal(error.code, 'server_limit', error.message);
  assert.match(error.message, /temp_file_limit/);
  assert.equal(await ask(server.url, 'SELECT count(*)::int FROM things'), 1);
  assert.equal(await ask(server.url, 'SELECT status FROM sluice.migration_batch'), 'failed');
});
