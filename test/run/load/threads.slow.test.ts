import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Events } from '../../../src/run/given/events.js';
import { type TestDatabase, testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';
import { long } from '../../support/long.js';
import { checksum } from '../../support/lots.js';
import { HOSTS, runThreaded, type Written, writePipeline } from '../../support/threaded.js';
import { thrown } from '../../support/thrown.js';

const COUNT = 8_000;
const ALLOWED = { maxRejects: { rows: 10_000 } };

/** Hosts with something wrong of every kind: lines that are no record, what a stage, a guard and the server refuse. */
function lines(): string[] {
  const made = ['id,name,address'];
  for (let id = 1; id <= COUNT; id++) {
    if (id % 900 === 0) made.push('');
    if (id % 1100 === 0) made.push(`${id},ragged`);
    const name = id % 70 === 0 ? '' : `"host ${id}, with ""é"" and ${'x'.repeat(id % 30)}"`;
    made.push(`${id % 1300 === 0 ? 'no id' : id},${name},${id % 500 === 0 ? 'nowhere' : '10.0.0.1'}`);
  }
  return made;
}

interface World {
  readonly database: TestDatabase;
  readonly folder: string;
  readonly path: string;
  readonly source: string;
}

async function world(t: TestContext, written?: Written, text = `${lines().join('\n')}\n`): Promise<World> {
  const database = await testDatabase(t);
  await database.query(HOSTS);
  const folder = tempFolder(t);
  const source = join(folder, 'hosts.csv');
  writeFileSync(source, text);
  return { database, folder, path: writePipeline(folder, written), source };
}

const run = (
  t: TestContext,
  { database, path, source }: World,
  options?: Parameters<typeof runThreaded>[4],
) => runThreaded(t, database, path, source, options);

/** All that a batch has left but for who did it and in which order. */
async function left(database: TestDatabase) {
  return {
    rows: await checksum(database, 'SELECT id, name, address FROM hosts'),
    rejects: await database.query(
      `SELECT input, line, byte_offset, stage, reason, column_name, value, message, raw, stage_row::jsonb - 'thread' AS stage_row
       FROM sluice.migration_reject ORDER BY line, reason, message`,
    ),
  };
}

const threadsOf = async (database: TestDatabase) =>
  (await database.query<{ thread: number }>('SELECT DISTINCT thread FROM hosts')).map(({ thread }) => thread);

/** Passes rows on once two threads have come so far. */
const MEETS = `stateless(async function* meets(rows) {
    const folder = dirname(fileURLToPath(import.meta.url));
    for await (const chunk of rows) {
      writeFileSync(join(folder, 'thread-' + threadId), '');
      while (readdirSync(folder).filter((name) => name.startsWith('thread-')).length < 2) await sleep(20);
      yield chunk;
    }
  }),`;

test('by threads a flow leaves the same rows, rejects and accounts as by one, and other threads have done it', async (t) => {
  const alone = await world(t, { stages: 'stateless(async function* meets(rows) { yield* rows; }),' });
  const one = await run(t, alone, { ...ALLOWED, threads: 0 });
  const several = await world(t, { stages: MEETS });
  const two = await run(t, several, { ...ALLOWED, jobs: 3 });
  assert.deepEqual(await threadsOf(alone.database), [0]);
  const others = await threadsOf(several.database);
  assert.ok(others.length === 2 && !others.includes(0), others.join());
  const [first, second] = [await left(alone.database), await left(several.database)];
  assert.equal(second.rows, first.rows);
  const here = (text: unknown) =>
    JSON.stringify(text).replaceAll(alone.folder, '').replaceAll(several.folder, '');
  assert.deepEqual(here(second.rejects), here(first.rejects));
  assert.ok(second.rejects.length > 100);
  assert.equal(here(two.summary.stages), here(one.summary.stages));
  assert.deepEqual(two.summary.reject_reasons, one.summary.reject_reasons);
  const [numbers] = await several.database.query(
    'SELECT count(DISTINCT number)::int AS n, max(number)::int AS last FROM sluice.migration_reject',
  );
  assert.deepEqual(numbers, { n: second.rejects.length, last: second.rejects.length });
});

long('rows that the server refuses are rejects with their lines, whichever thread had them', async (t) => {
  const made = await world(t);
  await made.database.query(
    `CREATE DOMAIN odd AS integer CHECK (VALUE % 501 <> 0); ALTER TABLE hosts ALTER id TYPE odd`,
  );
  const { summary } = await run(t, made, ALLOWED);
  const refused = await made.database.query<{ line: number; id: string }>(
    "SELECT line::int, stage_row ->> 'id' AS id FROM sluice.migration_reject WHERE sqlstate = '23514' ORDER BY line",
  );
  assert.ok(refused.length > 10);
  const all = lines();
  for (const { line, id } of refused) assert.ok(all[line - 1]?.startsWith(`${id},`), `line ${line}`);
  assert.equal(summary.status, 'completed');
});

long('the limit of rejects is one for all threads', async (t) => {
  const counted = (await run(t, await world(t), ALLOWED)).summary.rejected;
  const at = await run(t, await world(t), { maxRejects: { rows: counted } });
  assert.equal(at.summary.status, 'completed');
  const above = await world(t);
  const error = await thrown(run(t, above, { maxRejects: { rows: counted - 1 } }));
  assert.equal(error.code, 'too_many_rejects');
  assert.match(error.message, new RegExp(`^${counted} of `));
  assert.equal(await checksum(above.database, 'SELECT * FROM hosts'), '0:');
});

long('the first reject in any thread stops all, where that is asked for', async (t) => {
  const made = await world(t);
  const error = await thrown(run(t, made, { stopOnError: true }));
  assert.equal(error.code, 'reject');
  assert.equal(error.kind, 'refused');
  assert.ok(error.facts.line !== undefined);
  const stored = await made.database.query('SELECT FROM sluice.migration_reject');
  assert.ok(stored.length >= 1);
});

test('an exception in a thread is told as it is: its class, its cause, the line of the user’s code', async (t) => {
  const thrower = `stateless(map((row) => {
          if (row.id === '7001') throw new TypeError('what a row', { cause: new RangeError('too far') });
          return row;
        }, 'thrower')),`;
  const made = await world(t, { stages: thrower });
  const error = await thrown(run(t, made, ALLOWED));
  assert.equal(error.code, 'stage_failed');
  assert.match(error.message, /thrower.*what a row/);
  const cause = error.facts.cause as Error;
  assert.ok(cause instanceof TypeError, String(cause));
  assert.ok(cause.cause instanceof RangeError);
  assert.match(cause.stack ?? '', /hosts\.ts:\d+:\d+/);
  assert.ok(error.facts.line !== undefined && error.facts.input !== undefined);
  assert.match(error.facts.state ?? '', /nothing was published/);
  assert.equal(await checksum(made.database, 'SELECT * FROM hosts'), '0:');
});

long('a thread that ends by itself is an error that says so', async (t) => {
  const made = await world(t, {
    stages: "stateless(map((row) => (row.id === '3000' ? process.exit(7) : row), 'quits')),",
  });
  const error = await thrown(run(t, made, ALLOWED));
  assert.equal(error.code, 'thread_died');
  assert.match(error.message, /hosts\.csv ended by itself.*7/);
});

long('an error that nobody awaits in a thread ends the run, not the process', async (t) => {
  const made = await world(t, {
    stages:
      "stateless(map((row) => { if (row.id === '3000') void Promise.reject(new Error('forgotten')); return row; }, 'forgets')),",
  });
  const error = await thrown(run(t, made, ALLOWED));
  assert.equal(error.code, 'thread_died');
  assert.match(error.message, /forgotten/);
});

long(
  'a run that is stopped is over in two seconds, though a stage in a thread never comes back',
  async (t) => {
    const made = await world(t, {
      stages: "stateless(map((row) => { if (row.id === '3000') for (;;); return row; }, 'spins')),",
    });
    const stop = new AbortController();
    const running = thrown(run(t, made, { ...ALLOWED, signal: stop.signal }));
    const [batch] = await untilLoading(made.database);
    assert.ok(batch !== undefined);
    const from = performance.now();
    stop.abort();
    const error = await running;
    assert.equal(error.kind, 'interrupted');
    // Ending the batch takes its time on a busy machine; without an end to the thread it would take for ever.
    assert.ok(performance.now() - from < 10_000, `${performance.now() - from} ms`);
  },
);

async function untilLoading(database: TestDatabase) {
  const { until } = await import('../../support/until.js');
  return until('committed parts', async () => {
    const parts = await database.query('SELECT batch_id FROM sluice.migration_part');
    return parts.length > 0 && parts;
  });
}

long('values that are masked are in no reject of a thread’s', async (t) => {
  const made = await world(t);
  await run(t, made, { ...ALLOWED, noSourceData: true });
  const stored = await made.database.query<{ text: string }>(
    'SELECT r::text AS text FROM sluice.migration_reject r',
  );
  assert.ok(stored.length > 100);
  assert.ok(stored.every(({ text }) => !/nowhere|host \d|no id/.test(text)));
});

long('compressed input is unpacked once, by the main thread', async (t) => {
  const plain = await world(t);
  await run(t, plain, ALLOWED);
  const packed = await world(t, {}, '');
  const source = `${packed.source}.gz`;
  writeFileSync(source, gzipSync(`${lines().join('\n')}\n`));
  await run(t, { ...packed, source }, ALLOWED);
  assert.equal((await left(packed.database)).rows, (await left(plain.database)).rows);
  assert.ok(!(await threadsOf(packed.database)).includes(0));
});

long('reports, notes and logs of a stage in a thread are the run’s', async (t) => {
  const tells = `stateless(async function* tells(rows, run) {
    for await (const chunk of rows) {
      if (chunk[0].id === '1') {
        run.report({ name: 'seen', columns: ['id'], rows: [['1']], more: 0, summary: [] });
        run.log.info('a thread says', { at: chunk[0].id });
      }
      yield chunk;
    }
  }),`;
  const { summary, logged } = await run(t, await world(t, { stages: tells }), ALLOWED);
  assert.deepEqual(
    summary.reports.map(({ name }) => name),
    ['seen'],
  );
  assert.deepEqual(
    logged.filter(({ message }) => message === 'a thread says').map(({ facts }) => facts),
    [{ at: '1' }],
  );
});

long('a pipeline that a program has made is loaded without threads, and that is said', async (t) => {
  const made = await world(t);
  const notes: string[] = [];
  const events: Events = { note: (text) => notes.push(text) };
  const { pipeline } = await (await import('../../../src/cli/given/pipelines.js')).findPipeline(made.path);
  const { csv } = await import('../../../src/sources/csv/index.js');
  const { runOn } = await import('../../support/lots.js');
  await runOn(t, made.database, pipeline, {
    inputs: { hosts: csv(made.source, { columns: ['id', 'name', 'address'] }) },
    segmentBytes: 1,
    threads: 2,
    events,
    ...ALLOWED,
  });
  assert.deepEqual(await threadsOf(made.database), [0]);
  assert.ok(
    notes.some((note) => /without threads: its pipeline or an input was made by a program/.test(note)),
    notes.join(),
  );
});

long('a pipeline whose file is changed while it runs is not loaded by a mixture of both', async (t) => {
  const made = await world(t);
  const error = await thrown(
    run(t, made, {
      ...ALLOWED,
      onBatch: () => appendFileSync(made.path, '// changed\n'),
    }),
  );
  assert.equal(error.code, 'other_code');
});
