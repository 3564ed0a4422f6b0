import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { interrupted } from '../../../src/core/errors/author.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../../src/core/pipeline.js';
import { dropLeftover, findLeftovers } from '../../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { type TestDatabase, WITHOUT_LEDGER } from '../../support/database.js';
import { long } from '../../support/long.js';
import { leftGuards, leftSchemas, type Options, openDatabase, runOn } from '../../support/lots.js';
import { SLOW_PLACES, slowCheck, waitUntilSlow } from '../../support/slow.js';
import { thingsDatabase, thingsPipeline } from '../../support/things.js';
import { thrown } from '../../support/thrown.js';
import { until } from '../../support/until.js';

/** Far beyond what it takes, also on a loaded machine, and below the minute that the statements take. */
const SOON_MS = 45_000;

/**
 * Runs `pipeline`, does `harm` when it waits, and gives the error; live is untouched, and nothing is left but what
 * the error offers to resume.
 */
async function harmed(
  t: TestContext,
  database: TestDatabase,
  pipeline: Pipeline,
  harm?: () => Promise<void>,
  options: Options = {},
): Promise<SluiceError> {
  const run = thrown(runOn(t, database, pipeline, options));
  await harm?.();
  const from = performance.now();
  const error = await run;
  if (harm !== undefined)
    assert.ok(performance.now() - from < SOON_MS, `it took ${performance.now() - from} ms`);
  assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
  const kept = error.code === 'connection_lost' && /--resume 1 /.test(String(error.facts.next));
  assert.equal((await leftSchemas(database)).includes('sluice_staging_1'), kept);
  assert.equal((await leftGuards(database)).length > 0, kept);
  await until('the end of its statements', async () => {
    const left = await database.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sluice%' AND state = 'active'`,
    );
    return left.length === 0;
  });
  return error;
}

const lastBatch = async (database: TestDatabase) =>
  (
    await database.query<{ status: string; code: string; message: string }>(
      "SELECT status, error->>'code' AS code, error->>'message' AS message FROM sluice.migration_batch ORDER BY id DESC LIMIT 1",
    )
  )[0];

for (const { name, sql = '', pipeline, session } of SLOW_PLACES) {
  (name === 'a COPY' ? test : long)(
    `asked to stop in ${name}, a run stops at once and leaves nothing`,
    async (t) => {
      const database = await thingsDatabase(t);
      await database.query(sql);
      const stop = new AbortController();
      const error = await harmed(
        t,
        database,
        pipeline,
        async () => {
          await waitUntilSlow(database, session);
          stop.abort(interrupted('stopped by SIGINT'));
        },
        { signal: stop.signal },
      );
      assert.equal(error.kind, 'interrupted');
      assert.equal(error.message, 'stopped by SIGINT');
      assert.match(
        error.facts.state ?? '',
        /^nothing was published; live tables are untouched; batch \d+ is failed$/,
      );
      assert.deepEqual(await lastBatch(database), {
        status: 'failed',
        code: 'interrupted',
        message: 'stopped by SIGINT',
      });
    },
  );

  // A window that was not committed is tried again; see below.
  if (name === 'the publishing window') continue;
  (name === 'a COPY' ? test : long)(
    `a backend that is killed in ${name} fails the batch with its reason`,
    async (t) => {
      const database = await thingsDatabase(t);
      await database.query(sql);
      const error = await harmed(t, database, pipeline, async () => {
        const pid = await waitUntilSlow(database, session);
        await database.query('SELECT pg_terminate_backend($1)', [pid]);
      });
      assert.equal(error.kind, 'failed');
      assert.match(error.message, /lost|terminat/);
      assert.deepEqual(await lastBatch(database), {
        status: 'failed',
        code: error.code,
        message: error.message,
      });
    },
  );
}

test('a backend that is killed in the publishing window is no harm: it is tried again, once', async (t) => {
  const database = await thingsDatabase(t);
  const window = SLOW_PLACES.find(({ name }) => name === 'the publishing window');
  assert.ok(window !== undefined);
  await database.query(window.sql ?? '');
  const run = runOn(t, database, window.pipeline);
  const pid = await waitUntilSlow(database, window.session);
  await database.query(
    "CREATE OR REPLACE FUNCTION slow(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'",
  );
  await database.query('SELECT pg_terminate_backend($1)', [pid]);
  assert.equal((await run).summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM things'), [{ n: 4 }]);
});

test('asked to stop while its checks are asked, a run has written nothing', async (t) => {
  const database = await thingsDatabase(t);
  await database.query(WITHOUT_LEDGER);
  const stop = new AbortController();
  const error = await harmed(
    t,
    database,
    slowCheck,
    async () => {
      await waitUntilSlow(database, /control/);
      stop.abort(interrupted('stopped by SIGTERM'));
    },
    { signal: stop.signal },
  );
  assert.equal(error.kind, 'interrupted');
  const [ledger] = await database.query("SELECT to_regclass('sluice.migration_batch') IS NULL AS none");
  assert.deepEqual(ledger, { none: true });
});

test('asked to stop while others hold a lock that the window needs, a run stops', async (t) => {
  const database = await thingsDatabase(t);
  const other = await database.connect();
  await other.query('BEGIN; SELECT FROM things');
  const stop = new AbortController();
  const error = await harmed(
    t,
    database,
    thingsPipeline(),
    async () => {
      const publishing = (more = '') =>
        database.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%publish' ${more}`,
        );
      await until(
        'a wait for the lock',
        async () => (await publishing("AND wait_event_type = 'Lock'")).length > 0,
      );
      stop.abort(interrupted('stopped by SIGINT'));
      // The lock is still held; afterwards it would be in the way of tidying up.
      await until('the end of the window', async () => (await publishing()).length === 0);
      await other.query('ROLLBACK');
    },
    { signal: stop.signal },
  );
  assert.equal(error.kind, 'interrupted');
});

test('asked to stop while a reader of live keeps its guard on, a run leaves that to the next command', async (t) => {
  const database = await thingsDatabase(t);
  const {
    sql = '',
    pipeline,
    session,
  } = SLOW_PLACES.find(({ name }) => name === 'a validation') ?? assert.fail();
  await database.query(sql);
  const stop = new AbortController();
  const run = thrown(runOn(t, database, pipeline, { signal: stop.signal }));
  await waitUntilSlow(database, session);
  const reader = await database.connect();
  await reader.query('BEGIN; SELECT FROM things');
  stop.abort(interrupted('stopped by SIGINT'));
  const error = await run;
  assert.equal(error.message, 'stopped by SIGINT');
  // It tries twice, and not for as long as it would for itself.
  assert.match(String(error.facts.details), /public\.things could not be locked in 2 attempts/);
  assert.match(error.facts.state ?? '', /nothing was published; live tables are untouched; .* is left/);
  assert.deepEqual(await lastBatch(database), {
    status: 'running',
    code: 'interrupted',
    message: 'stopped by SIGINT',
  });
  assert.ok((await leftGuards(database)).length > 0);
  await reader.query('ROLLBACK');
  const { said } = await runOn(t, database, thingsPipeline());
  assert.match(said.join('\n'), /batch 1 \(slow-things\) was interrupted; nothing of it is live/);
  const own = openDatabase(t, database);
  for (const leftover of await findLeftovers(own, 30)) await dropLeftover(own, leftover);
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_2']);
});

long(
  'asked to stop in the index build of a rollback, it stops at once, puts nothing back, and may be repeated',
  async (t) => {
    const database = await thingsDatabase(t);
    await runOn(t, database, thingsPipeline());
    const slow = SLOW_PLACES.find(({ name }) => name === 'an index build') ?? assert.fail();
    const quick = "CREATE OR REPLACE FUNCTION slow(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1'";
    await database.query(`${quick}; CREATE INDEX ON things (slow(name))`);
    await database.query(
      'CREATE OR REPLACE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(60); RETURN $1; END $$',
    );
    const live = await database.query('SELECT * FROM things ORDER BY id');
    const own = openDatabase(t, database);
    const silent = () => {};
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    const stop = new AbortController();
    const undone = thrown(rollbackBatch('1', { database: own, log, signal: stop.signal }));
    await waitUntilSlow(database, slow.session);
    const from = performance.now();
    stop.abort(interrupted('stopped by SIGINT', { state: 'nothing was published' }));
    const error = await undone;
    assert.ok(performance.now() - from < SOON_MS);
    assert.equal(error.kind, 'interrupted');
    assert.equal(error.facts.state, 'nothing was put back; live is as it was');
    assert.deepEqual(await database.query('SELECT * FROM things ORDER BY id'), live);
    assert.deepEqual(await leftGuards(database), []);
    assert.deepEqual(await leftSchemas(database), ['sluice_old_1']);
    await own.close();
    await database.query(quick);
    await rollbackBatch('1', { database: openDatabase(t, database), log });
    assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
  },
);

test('the session that holds the run’s claims is killed in the load: the batch fails and is recorded', async (t) => {
  const database = await thingsDatabase(t);
  const { sql = '', pipeline, session } = SLOW_PLACES[0] as (typeof SLOW_PLACES)[number];
  await database.query(sql.replace('60', '1'));
  const error = await harmed(t, database, pipeline, async () => {
    await waitUntilSlow(database, session);
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sluice control%'`,
    );
  });
  assert.equal(error.code, 'connection_lost');
  assert.deepEqual(await lastBatch(database), { status: 'failed', code: error.code, message: error.message });
});

long('rejects are stored though every session of the run is killed now and then', async (t) => {
  const database = await thingsDatabase(t);
  const { named } = await import('../../../src/core/types.js');
  let chunks = 0;
  const error = await harmed(
    t,
    database,
    thingsPipeline({
      rows: 20_000,
      stage: named('half', async function* (rows, run) {
        for await (const chunk of rows) {
          for (const row of chunk) if (Number(row.id) % 2 === 0) run.reject(row, { reason: 'even' });
          if (++chunks % 3 === 0)
            await database.query(
              `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name LIKE 'sluice batch % rejects'`,
            );
          yield chunk.filter((row) => Number(row.id) % 2 === 1);
        }
      }),
    }),
  );
  assert.equal(error.code, 'too_many_rejects');
  const [stored] = await database.query(
    'SELECT count(*)::int AS n, count(DISTINCT line)::int AS lines, max(number)::int AS last FROM sluice.migration_reject',
  );
  assert.deepEqual(stored, { n: 10_000, lines: 10_000, last: 10_000 });
});

long('beyond the cap rejects are counted and not kept', async (t) => {
  const database = await thingsDatabase(t);
  const { named } = await import('../../../src/core/types.js');
  const error = await harmed(
    t,
    database,
    thingsPipeline({
      rows: 100_010,
      stage: named('none', async function* (rows, run) {
        for await (const chunk of rows) for (const row of chunk) run.reject(row, { reason: 'no' });
        yield [];
      }),
    }),
  );
  assert.match(error.message, /^100010 of 100010 rows were rejected/);
  const [stored] = await database.query('SELECT count(*)::int AS n FROM sluice.migration_reject');
  assert.deepEqual(stored, { n: 100_000 });
  const [batch] = await database.query('SELECT error_count::int AS n FROM sluice.migration_batch');
  assert.deepEqual(batch, { n: 100_010 });
});
