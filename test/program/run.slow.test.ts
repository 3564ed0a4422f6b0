import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { batches, dryRun, load, type RunEvents, rehearse, rollback, run, status, swap } from 'sluice';
import { tempFolder } from '../support/files.js';
import { isSluice } from '../support/said.js';
import { stall } from '../support/stall.js';
import { things, thingsDatabase, thingsPipeline } from '../support/things.js';

const NAMES = 'SELECT id, name FROM things ORDER BY id';
const OLD = [{ id: 0, name: 'the old one' }];

/** Listeners that write down what they hear, in its order. */
function heard(): { said: string[]; events: RunEvents } {
  const said: string[] = [];
  return {
    said,
    events: {
      batch: (id) => said.push(`batch ${id}`),
      phase: (name) => said.push(name),
      progress: ({ rows }) => said.push(`${rows} rows`),
      failed: ({ status, error }) =>
        said.push(`${status}: ${error?.code}: ${[error?.next].flat().join('; ')}`),
    },
  };
}

test('a program runs a pipeline and is given the summary; it hears what happens, in that order', async (t) => {
  const database = await thingsDatabase(t);
  const { said, events } = heard();
  const summary = await run(thingsPipeline({ rows: 3 }), { database: database.url, events });
  assert.deepEqual(
    { ...summary, seconds: 0, rows_per_second: 0, lock_ms: 0, timings: 0, stages: summary.stages.length },
    {
      ...{ batch: '1', pipeline: 'things', status: 'completed', published_by: null, read: 3 },
      ...{ loaded: { things: 3 }, changes: summary.changes, rejected: 0, skipped: 0, left: 0 },
      ...{ published: { things: 'replace' }, seconds: 0, rows_per_second: 0, lock_ms: 0, reject_reasons: {} },
      ...{
        skip_reasons: {},
        figures: {},
        timings: 0,
        stages: 1,
        records: [],
        frequent_errors: [],
        reports: [],
      },
      ...{ files: [], error: null, rejects: [] },
    },
  );
  assert.deepEqual(await database.query(NAMES), [
    { id: 1, name: 'thing 1' },
    { id: 2, name: 'thing 2' },
    { id: 3, name: 'thing 3' },
  ]);
  const phases = said.filter((each) => !each.endsWith(' rows'));
  assert.deepEqual(phases, ['check', 'batch 1', 'load', 'compare', 'validate', 'prepare', 'publish']);
});

test('dryRun writes nothing, rehearse publishes nothing, load stages and swap publishes that', async (t) => {
  const database = await thingsDatabase(t);
  const to = { database: database.url };
  const pipeline = thingsPipeline({ rows: 2 });
  const dry = await dryRun(pipeline, { ...to, limit: 1 });
  assert.deepEqual([dry.status, dry.read, dry.batch], ['dry run', 1, null]);
  assert.equal((await rehearse(pipeline, to)).status, 'rehearsed');
  const staged = await load(pipeline, to);
  assert.equal(staged.status, 'staged');
  assert.deepEqual(await database.query(NAMES), OLD);
  const batch = staged.batch as string;
  assert.equal((await status(batch, to)).status, 'staged');
  assert.equal((await swap(pipeline, batch, to)).status, 'completed');
  assert.equal((await database.query(NAMES)).length, 2);
  const { published } = await status(batch, to);
  assert.deepEqual(
    published.map(({ table_name, rows_staged }) => [table_name, rows_staged]),
    [['things', 2]],
  );
  assert.deepEqual(
    (await batches({ ...to, limit: 2 })).map(({ id, status }) => [id, status]),
    [
      [batch, 'completed'],
      ['1', 'rolled_back'],
    ],
  );
});

test('rollback puts back what a batch replaced; a dry run of it says what it would do', async (t) => {
  const database = await thingsDatabase(t);
  const to = { database: database.url };
  const { batch } = await run(thingsPipeline({ rows: 2 }), to);
  const planned = await rollback(batch as string, { ...to, dryRun: true });
  assert.match(planned.statements ?? '', /SET SCHEMA/);
  assert.equal((await database.query(NAMES)).length, 2);
  const undone = await rollback(batch as string, to);
  assert.deepEqual([undone.whole, undone.tables.map(({ table }) => table)], [true, ['public.things']]);
  assert.deepEqual(await database.query(NAMES), OLD);
});

test('an input is a source, a path, or a path with its encoding; a folder may have them all', async (t) => {
  const database = await thingsDatabase(t);
  const to = { database: database.url };
  const folder = tempFolder(t);
  writeFileSync(join(folder, 'things.csv'), Buffer.from('id,name\n7,caf\u00e9\n', 'latin1'));
  const names = async () => (await database.query<{ name: string }>(NAMES)).map(({ name }) => name);
  await run(thingsPipeline(), {
    ...to,
    inputs: { things: { path: join(folder, 'things.csv'), encoding: 'latin1' } },
  });
  assert.deepEqual(await names(), ['café']);
  writeFileSync(join(folder, 'things.csv'), 'id,name\n8,eight\n');
  await run(thingsPipeline(), { ...to, inputs: { things: join(folder, 'things.csv') }, always: true });
  assert.deepEqual(await names(), ['eight']);
  await assert.rejects(
    run(thingsPipeline(), { ...to, inputs: { thinks: join(folder, 'things.csv') } }),
    isSluice('no_such_input', /things/),
  );
});

test('a refused run throws its code, its facts, and next steps as calls', async (t) => {
  const database = await thingsDatabase(t);
  const { said, events } = heard();
  const bad = thingsPipeline({
    stage: Object.assign(async function* (rows: AsyncIterable<readonly { id: string; name: string }[]>) {
      for await (const chunk of rows)
        yield chunk.map((row) => (row.id === '2' ? { ...row, id: 'two' } : row));
    }),
  });
  await assert.rejects(run(bad, { database: database.url, events }), (error) => {
    isSluice('too_many_rejects', /maxRejects: 1/)(error);
    const { next, state } = (error as { facts: { next: readonly unknown[]; state: string } }).facts;
    assert.match(state, /live tables are untouched/);
    assert.ok(next.every((step) => typeof step === 'string'));
    // What no function does is a command to type.
    assert.ok(
      !next.some((step) => /--/.test(String(step)) && !/^npx sluice /.test(String(step))),
      String(next),
    );
    return true;
  });
  assert.match(said.at(-1) as string, /^refused: too_many_rejects: .*maxRejects: 1/);
  assert.deepEqual(await database.query(NAMES), OLD);
  const { rejects, rejected } = await run(bad, { database: database.url, maxRejects: '50%' });
  assert.deepEqual([rejected, rejects.map(({ value, line }) => [value, line])], [1, [['two', 2]]]);
});

test('what contradicts itself or cannot be meant is told before anything is connected to', async () => {
  const nowhere = { database: 'postgres://127.0.0.1:1/nowhere' };
  const of = thingsPipeline();
  const limited = { ...nowhere, limit: 3 };
  await assert.rejects(run(of, limited), isSluice('limit_publishes', /dryRun/));
  await assert.rejects(dryRun(of, { ...nowhere, resume: '3' }), isSluice('which'));
  await assert.rejects(
    run(of, { database: 'host=x nonsense' }),
    isSluice('bad_database_url', /option database/),
  );
  await assert.rejects(run(of, nowhere), isSluice('no_connection'));
});

test('an aborted signal ends a run as interrupted, live untouched, and no listener stays on the signal', async (t) => {
  const database = await thingsDatabase(t);
  const point = stall();
  const stop = new AbortController();
  const under = run(thingsPipeline({ stage: point.hold }), { database: database.url, signal: stop.signal });
  await point.reached;
  stop.abort(new Error('no longer wanted'));
  await assert.rejects(under, (error) => {
    isSluice('interrupted')(error);
    assert.match(String((error as Error).cause), /no longer wanted/);
    return true;
  });
  assert.deepEqual(await database.query(NAMES), OLD);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  await assert.rejects(
    run(thingsPipeline(), { database: database.url, signal: stop.signal }),
    isSluice('interrupted'),
  );
  const kept = new AbortController();
  await run(thingsPipeline(), { database: database.url, signal: kept.signal });
  assert.equal(getEventListeners(kept.signal, 'abort').length, 0);
});

test('a listener that throws, or whose promise is rejected, stops the run, and nothing is published', async (t) => {
  const database = await thingsDatabase(t);
  const fails = (name: string) => {
    if (name === 'load') throw new Error('the screen is gone');
  };
  for (const phase of [fails, async (name: string) => fails(name)])
    await assert.rejects(
      run(thingsPipeline(), { database: database.url, events: { phase } }),
      isSluice('listener_failed', /event phase failed: the screen is gone/),
    );
  assert.deepEqual(await database.query(NAMES), OLD);
});

test('two runs at once in one process do not know of each other', async (t) => {
  const [one, other] = [await thingsDatabase(t), await thingsDatabase(t)];
  await one.query('CREATE TABLE more (id integer PRIMARY KEY, name text NOT NULL)');
  const { append, flow, memory, pipeline } = await import('sluice');
  const more = pipeline({
    name: 'more',
    summary: 'More things.',
    inputs: { more: memory('more', things(5)) },
    tables: { more: append('more', { columns: ['id', 'name'] }) },
    flows: ({ inputs, tables }) => [flow(inputs.more).into(tables.more)],
  });
  const told = heard();
  const [first, second, third] = await Promise.all([
    run(thingsPipeline({ rows: 4 }), { database: one.url, events: told.events }),
    run(more, { database: one.url }),
    run(thingsPipeline({ rows: 6 }), { database: other.url }),
  ]);
  assert.deepEqual([first.read, second.read, third.read], [4, 5, 6]);
  assert.deepEqual(new Set([first.batch, second.batch]), new Set(['1', '2']));
  assert.ok(told.said.includes(`batch ${first.batch}`) && !told.said.includes(`batch ${second.batch}`));
  assert.equal((await one.query('SELECT FROM more')).length, 5);
  assert.equal((await other.query(NAMES)).length, 6);
});
