import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { named, type Stage } from '../../../src/core/types.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import type { TestDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { catalog, leftGuards, leftSchemas, openDatabase, runOn } from '../../support/lots.js';
import { stall } from '../../support/stall.js';
import { type Thing, thingsDatabase, thingsPipeline } from '../../support/things.js';
import { thrown } from '../../support/thrown.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Publishes a staged batch in a session of its own, as `sluice swap` does. */
async function swap(t: TestContext, database: TestDatabase, id: string) {
  const opened = openDatabase(t, database);
  try {
    return await swapBatch(thingsPipeline(), await findStaged(opened, id), { database: opened, log: quiet });
  } finally {
    await opened.close();
  }
}

const countOf = async (database: TestDatabase) =>
  (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM things'))[0]?.n;

const statuses = async (database: TestDatabase) =>
  (await database.query<{ status: string }>('SELECT status FROM sluice.migration_batch ORDER BY id')).map(
    (row) => row.status,
  );

/** A load that is held up behind its first chunk of rows. */
function heldUp(t: TestContext, database: TestDatabase, guard: 'journal' | 'lock' | 'off' = 'journal') {
  const point = stall();
  t.after(() => point.release());
  const stage: Stage<Thing> = named('held up', (rows, run) => point.hold(rows, run));
  const running = runOn(t, database, thingsPipeline({ rows: 5000, stage }), { guard });
  running.catch(() => {});
  return { point, running };
}

for (const [what, sql, rows] of [
  ['an insert', "INSERT INTO things VALUES (-1, 'late')", 2],
  ['a delete', 'DELETE FROM things', 0],
] as const) {
  (what === 'an insert' ? test : long)(
    `${what} in live during the load is refused at the publish, and kept`,
    async (t) => {
      const database = await thingsDatabase(t);
      const { point, running } = heldUp(t, database);
      await point.reached;
      await database.query(sql);
      point.release();
      const error = await thrown(running);
      assert.equal(error.kind, 'refused');
      assert.equal(error.message, '1 statement wrote to public.things since the source was read');
      assert.match(error.facts.state ?? '', /nothing was published/);
      assert.equal(await countOf(database), rows);
      assert.deepEqual(await statuses(database), ['failed']);
      assert.deepEqual(await leftSchemas(database), []);
      assert.deepEqual(await leftGuards(database), []);
    },
  );
}

long('without the guard a write during the load is lost, as asked for', async (t) => {
  const database = await thingsDatabase(t);
  const { point, running } = heldUp(t, database, 'off');
  await point.reached;
  await database.query("INSERT INTO things VALUES (-1, 'late')");
  point.release();
  await running;
  assert.equal(await countOf(database), 5000);
});

long('of two runs on one table at once, the second is refused, naming the first', async (t) => {
  const database = await thingsDatabase(t);
  const { point, running } = heldUp(t, database);
  await point.reached;
  const error = await thrown(runOn(t, database, thingsPipeline()));
  assert.equal(error.kind, 'refused');
  assert.equal(error.message, 'another batch is working on public.things');
  assert.equal(error.facts.details?.length, 1);
  assert.match(
    error.facts.details?.[0] ?? '',
    /^pid \d+ \(postgres, sluice control; .*(since \d{4}-|\d s\))/,
  );
  point.release();
  await running;
  assert.equal(await countOf(database), 5000);
  assert.deepEqual(await statuses(database), ['completed', 'failed']);
});

test('a load waits for its swap: live is untouched, and staging is there', async (t) => {
  const database = await thingsDatabase(t);
  const { summary } = await runOn(t, database, thingsPipeline({ rows: 7 }), { publish: false });
  assert.equal(summary.status, 'staged');
  assert.deepEqual(summary.loaded, { things: 7 });
  assert.deepEqual(summary.published, {});
  assert.equal(await countOf(database), 1);
  assert.deepEqual(await leftSchemas(database), ['sluice_guard_1', 'sluice_old_1', 'sluice_staging_1']);
  const [staged] = await database.query('SELECT count(*)::int AS n FROM sluice_staging_1.things');
  assert.deepEqual(staged, { n: 7 });
  const swapped = await swap(t, database, '1');
  assert.equal(swapped.status, 'completed');
  assert.equal(await countOf(database), 7);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_1']);
  assert.deepEqual(await leftGuards(database), []);
  const again = await thrown(swap(t, database, '1'));
  assert.equal(again.kind, 'usage');
  assert.match(again.message, /batch 1 is published already/);
});

test('a swap takes along what live was given since the load: an index, a grant, a view', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline(), { publish: false });
  await database.query(`
    CREATE INDEX things_name ON things (lower(name));
    GRANT SELECT ON things TO PUBLIC;
    CREATE VIEW many AS SELECT count(*)::int AS n FROM things`);
  const before = await catalog(database, false);
  await swap(t, database, '1');
  assert.deepEqual(
    (await catalog(database, false)).filter((fact) => !fact.includes('sluice')),
    before.filter((fact) => !fact.includes('sluice')),
  );
  assert.deepEqual(await database.query('SELECT n FROM many'), [{ n: 10 }]);
});

test('a swap is refused where live has another column by now, and staging stays', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline(), { publish: false });
  await database.query('ALTER TABLE things ADD COLUMN colour text');
  const error = await thrown(swap(t, database, '1'));
  assert.equal(error.kind, 'refused');
  assert.match(error.message, /colour/);
  assert.equal(await countOf(database), 1);
  assert.deepEqual(await statuses(database), ['staged']);
});

test('a swap is refused where live was written to since the load', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline(), { publish: false });
  await database.query("INSERT INTO things VALUES (-1, 'late')");
  const error = await thrown(swap(t, database, '1'));
  assert.equal(error.kind, 'refused');
  // A swap reads no source: what was written only another load knows.
  assert.equal(String(error.facts.next), 'sluice load things   (it reads what was written)');
  assert.equal(await countOf(database), 2);
});

long('a swap whose staging somebody dropped says so', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline(), { publish: false });
  await database.query('DROP SCHEMA sluice_staging_1 CASCADE');
  const error = await thrown(swap(t, database, '1'));
  assert.equal(error.code, 'staging_gone');
  assert.equal(String(error.facts.next), 'sluice load things');
});

/** Ends the one backend of the test's database whose name is like `purpose`, as soon as it is there. */
async function kill(database: TestDatabase, purpose: string): Promise<void> {
  for (;;) {
    const killed = await database.query(
      // One that is only being connected is connected again.
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE $1 AND query !~ '^(SET .*|SELECT pid, .*)?$'",
      [purpose],
    );
    if (killed.length > 0) return assert.equal(killed.length, 1);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

for (const [session, purpose, loaded] of [
  ['the load', '% load %', false],
  ['the control session', 'sluice control', true],
] as const) {
  const left = loaded ? 'what is loaded is kept to be resumed' : 'nothing is left';
  test(`when the backend of ${session} is killed, the batch fails and ${left}`, async (t) => {
    const database = await thingsDatabase(t);
    const { point, running } = heldUp(t, database);
    await point.reached;
    await kill(database, purpose);
    point.release();
    const error = await thrown(running);
    assert.equal(error.kind, 'failed');
    assert.equal(error.code, 'connection_lost');
    assert.equal(
      error.facts.state,
      `nothing was published; live tables are untouched; batch 1 is failed${loaded ? '; its staging is kept' : ''}`,
    );
    assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
    assert.deepEqual(await statuses(database), ['failed']);
    if (loaded) assert.match(String([error.facts.next].flat()[0]), /^sluice run things --resume 1 /);
    else {
      assert.deepEqual(await leftSchemas(database), []);
      assert.deepEqual(await leftGuards(database), []);
    }
  });
}
