import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { interrupted } from '../../src/core/errors/author.js';
import type { SluiceError } from '../../src/core/errors/sluice-error.js';
import { validation } from '../../src/core/pipeline.js';
import { named, type Sink, type Stage } from '../../src/core/types.js';
import { memory } from '../../src/sources/memory.js';
import type { TestDatabase } from '../support/database.js';
import { catalog, leftGuards, leftSchemas, type Options, runOn } from '../support/lots.js';
import { type Parts, type Thing, things, thingsDatabase, thingsPipeline } from '../support/things.js';
import { thrown } from '../support/thrown.js';

/** Runs a pipeline that must fail: nothing of it may be left but the batch, failed, with its reason. */
async function fails(
  t: TestContext,
  database: TestDatabase,
  parts: Parts,
  options: Options = {},
): Promise<SluiceError> {
  const error = await thrown(runOn(t, database, thingsPipeline(parts), options));
  assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
  assert.deepEqual(await leftSchemas(database), []);
  assert.deepEqual(await leftGuards(database), []);
  const [batch] = await database.query<{ status: string; code: string; message: string }>(
    "SELECT status, error->>'code' AS code, error->>'message' AS message FROM sluice.migration_batch ORDER BY id DESC LIMIT 1",
  );
  assert.deepEqual(batch, { status: 'failed', code: error.code, message: error.message });
  assert.match(
    error.facts.state ?? '',
    /^nothing was published; live tables are untouched; batch \d+ is failed$/,
  );
  return error;
}

const dropsSome: Stage<Thing> = named('drops some', async function* (rows) {
  for await (const chunk of rows) yield chunk.filter((row) => Number(row.id) % 5 !== 0);
});

/** Rejects every tenth thing. */
const rejectsTenths: Stage<Thing> = named('tenths', async function* (rows, run) {
  for await (const chunk of rows) {
    const out: Thing[] = [];
    for (const row of chunk) {
      if (Number(row.id) % 10 !== 0) out.push(row);
      else run.reject(row, { reason: 'a_tenth', column: 'id', value: row.id, expected: 'no tenth' });
    }
    yield out;
  }
});

const broken = (verb: 'open' | 'write' | 'close'): Sink<Thing> => {
  const at = (name: string) => {
    if (name === verb) throw new Error(`the ${verb} went wrong`);
  };
  return {
    name: 'broken sink',
    writes: 'nothing',
    async open() {
      at('open');
      let rows = 0;
      return {
        async write(chunk) {
          at('write');
          rows += chunk.length;
        },
        async close() {
          at('close');
          return rows;
        },
        async discard() {},
      };
    },
  };
};

test('a stage that drops rows without a reason is refused by its name', async (t) => {
  const error = await fails(t, await thingsDatabase(t), { stage: dropsSome });
  assert.equal(error.kind, 'refused');
  assert.equal(
    error.message,
    'rows are unaccounted for: stage "drops some" took in 10 rows of new things and lost 2 without a reason',
  );
  assert.match(String(error.facts.next), /run\.skip\(reason\)/);
});

test('a stage that drops rows without a reason is refused in a dry run, too', async (t) => {
  const database = await thingsDatabase(t);
  await assert.rejects(runOn(t, database, thingsPipeline({ stage: dropsSome }), { dryRun: true }), {
    message: /stage "drops some" .* lost 2/,
  });
});

test('a stage that stops early is refused by its name', async (t) => {
  const firstChunk: Stage<Thing> = named('first chunk', async function* (rows) {
    for await (const chunk of rows) {
      yield chunk;
      return;
    }
  });
  const error = await fails(t, await thingsDatabase(t), { stage: firstChunk, rows: 5000 });
  assert.match(
    error.message,
    /stage "first chunk" stopped reading new things before its end, after 256 rows/,
  );
});

for (const verb of ['open', 'write', 'close'] as const) {
  test(`a sink that fails to ${verb} beside the table publishes nothing and leaves nothing`, async (t) => {
    const error = await fails(t, await thingsDatabase(t), { ends: [broken(verb)] });
    assert.match(error.message, new RegExp(`the ${verb} went wrong`));
  });
}

test('an abort in the middle of the load ends it with its own reason', async (t) => {
  const controller = new AbortController();
  const stops: Stage<Thing> = named('stops', async function* (rows) {
    for await (const chunk of rows) {
      controller.abort(interrupted('stopped by SIGINT'));
      yield chunk;
    }
  });
  const error = await fails(
    t,
    await thingsDatabase(t),
    { stage: stops, rows: 9000 },
    { signal: controller.signal },
  );
  assert.equal(error.kind, 'interrupted');
  assert.equal(error.message, 'stopped by SIGINT');
});

test('a value that the column cannot hold is a reject with its row, column and reason', async (t) => {
  const database = await thingsDatabase(t);
  const rows = [...things(3), { id: '99999999999', name: 'too far' }];
  const error = await fails(t, database, { source: memory('new things', rows) });
  assert.equal(error.code, 'too_many_rejects');
  const [reject] = await database.query('SELECT line::int, column_name, value FROM sluice.migration_reject');
  assert.deepEqual(reject, { line: 4, column_name: 'id', value: '99999999999' });
});

test('a key that comes twice fails before live is touched', async (t) => {
  const error = await fails(t, await thingsDatabase(t), {
    source: memory('new things', [...things(3), { id: '2', name: 'again' }]),
  });
  assert.match(JSON.stringify([error.message, error.facts]), /things_pkey|duplicate/);
});

test('rejects beyond the limit publish nothing, and all of them are in the ledger', async (t) => {
  const database = await thingsDatabase(t);
  const error = await fails(t, database, { stage: rejectsTenths, rows: 1200 }, { maxRejects: { rows: 119 } });
  assert.equal(error.message, '120 of 1200 rows were rejected; 119 may be (--max-rejects)');
  assert.equal(error.facts.details?.[0], 'a_tenth: 120');
  assert.match(String(error.facts.next), /--max-rejects 120/);
  const [stored] = await database.query(
    'SELECT count(*)::int AS n, min(line)::int AS first, max(line)::int AS last, min(stage) AS stage, min(message) AS message FROM sluice.migration_reject',
  );
  assert.deepEqual(stored, {
    n: 120,
    first: 10,
    last: 1200,
    stage: 'tenths',
    message: 'id is "10"; expected: no tenth',
  });
});

test('rejects within the limit, or the share, are published without', async (t) => {
  for (const maxRejects of [{ rows: 10 }, { share: 0.1 }]) {
    const database = await thingsDatabase(t);
    const { summary, rejects } = await runOn(
      t,
      database,
      thingsPipeline({ stage: rejectsTenths, rows: 100 }),
      { maxRejects },
    );
    assert.equal(summary.status, 'completed');
    assert.equal(summary.rejected, 10);
    assert.deepEqual(summary.reject_reasons, { a_tenth: 10 });
    assert.equal(rejects.length, 10);
    const [live] = await database.query('SELECT count(*)::int AS n FROM things');
    assert.deepEqual(live, { n: 90 });
  }
});

test('one row more than the share is refused', async (t) => {
  const error = await fails(
    t,
    await thingsDatabase(t),
    { stage: rejectsTenths, rows: 100 },
    { maxRejects: { share: 0.099 } },
  );
  assert.equal(error.message, '10 of 100 rows were rejected; 9.9% may be (--max-rejects)');
});

test('--stop-on-error ends at the first reject, with the line', async (t) => {
  const database = await thingsDatabase(t);
  const error = await fails(
    t,
    database,
    { stage: rejectsTenths, rows: 100 },
    { stopOnError: true, maxRejects: { rows: 50 } },
  );
  assert.equal(error.kind, 'refused');
  assert.match(
    error.message,
    /^a row was rejected and --stop-on-error was given: id is "10"; expected: no tenth/,
  );
  assert.equal(error.facts.line, 10);
  const [stored] = await database.query('SELECT count(*)::int AS n FROM sluice.migration_reject');
  assert.deepEqual(stored, { n: 1 });
});

test('a validation that finds an error publishes nothing; all are asked', async (t) => {
  const asked: string[] = [];
  const says = (name: string) =>
    validation(name, name, async ({ database, staged, live }) => {
      asked.push(name);
      const [rows] = await database.query<{ new: number; old: number }>(
        `SELECT (SELECT count(*) FROM ${staged('things')})::int AS new, (SELECT count(*) FROM ${live('things')})::int AS old`,
      );
      return [{ severity: 'error', message: `${rows?.new} for ${rows?.old}` }];
    });
  const error = await fails(t, await thingsDatabase(t), {
    more: { validations: [says('one'), says('two')] },
  });
  assert.deepEqual(asked, ['one', 'two']);
  assert.equal(error.code, 'validation_refused');
  assert.deepEqual(error.facts.details, ['one: 10 for 1', 'two: 10 for 1']);
});

test('an input without rows does not empty a table, unless that is meant', async (t) => {
  const database = await thingsDatabase(t);
  const empty = thingsPipeline({ rows: 0 });
  await assert.rejects(runOn(t, database, empty, { dryRun: true }), { code: 'would_empty' });
  const error = await fails(t, database, { rows: 0 });
  assert.equal(error.code, 'would_empty');
  assert.equal(error.kind, 'refused');
  assert.match(error.message, /public\.things would be emptied/);
  assert.match(String(error.facts.next), /--allow-empty/);
  const { summary } = await runOn(t, database, empty, { allowEmpty: true });
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await database.query('SELECT * FROM things'), []);
});

test('a limit in a dry run reads so many rows, and no more', async (t) => {
  const database = await thingsDatabase(t);
  const before = await catalog(database);
  const { summary } = await runOn(t, database, thingsPipeline({ rows: 5000 }), { dryRun: true, limit: 3000 });
  assert.equal(summary.read, 3000);
  assert.deepEqual(await catalog(database), before);
});

test('a rehearsal does everything and leaves live as it was', async (t) => {
  const database = await thingsDatabase(t);
  const before = await catalog(database, false);
  const { summary } = await runOn(t, database, thingsPipeline({ rows: 100 }), { rehearse: true });
  assert.equal(summary.status, 'rehearsed');
  assert.ok((summary.lock_ms ?? 0) > 0);
  assert.deepEqual(await database.query('SELECT * FROM things'), [{ id: 0, name: 'the old one' }]);
  assert.deepEqual(await catalog(database, false), before);
  assert.deepEqual(await leftSchemas(database), []);
  const [batch] = await database.query('SELECT status FROM sluice.migration_batch');
  assert.deepEqual(batch, { status: 'rolled_back' });
});

test('the batch keeps its counts, its accounts and its timings', async (t) => {
  const database = await thingsDatabase(t);
  await runOn(t, database, thingsPipeline({ stage: rejectsTenths, rows: 50 }), { maxRejects: { rows: 5 } });
  const [batch] = await database.query<Record<string, unknown>>(
    `SELECT status, total_records::int AS total, processed_records::int AS processed, success_count::int AS success,
            error_count::int AS error, skip_count::int AS skip, source, completed_at >= started_at AS timed,
            accounting->0->>'source' AS accounts, timings ?& '{check,load,compare,validate,prepare,publish}' AS phases
     FROM sluice.migration_batch`,
  );
  assert.deepEqual(batch, {
    status: 'completed',
    total: 50,
    processed: 50,
    success: 45,
    error: 5,
    skip: 0,
    source: 'manual',
    timed: true,
    accounts: 'new things',
    phases: true,
  });
});
