import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flow, memory, merge, pipeline, type Row, replace, validation } from 'sluice';
import { faults, testPipeline } from 'sluice/testing';
import { filter } from 'sluice/transforms';
import { isSluice } from '../support/said.js';

type Part = { readonly id: string; readonly name: string; readonly price: string | null };

const PARTS: Part[] = [
  { id: '1', name: 'bolt', price: '2.50' },
  { id: '2', name: 'nut', price: '0.10' },
  { id: '3', name: 'gone', price: null },
];

const TABLES = {
  parts: { id: 'integer PRIMARY KEY', name: 'text NOT NULL', price: 'numeric(8,2) NOT NULL' },
  notes: 'at timestamptz, text text, more jsonb, big bigint, done boolean',
};

const parts = pipeline({
  name: 'parts',
  summary: 'Parts with their prices.',
  inputs: { parts: memory<Part>('parts', PARTS) },
  tables: { parts: replace('parts', { columns: ['id', 'name', 'price'] }) },
  settings: { least: { summary: 'rows that must be there', default: '0' } },
  validations: [
    validation('least', 'enough rows', async ({ database, settings, staged }) => {
      const [found] = await database.query<{ rows: number }>(
        `SELECT count(*)::int AS rows FROM ${staged('parts')}`,
      );
      const few = (found?.rows ?? 0) < Number(settings.least);
      return few ? [{ severity: 'error', message: `${found?.rows} rows are too few` }] : [];
    }),
  ],
  flows: ({ inputs, tables }) => [
    flow(inputs.parts)
      .through(filter((row: Part) => row.name !== 'gone', 'gone'))
      .into(tables.parts),
  ],
});

/** So many parts. */
const many = (count: number): Part[] =>
  Array.from({ length: count }, (_, at) => ({ id: String(at + 1), name: `part ${at + 1}`, price: '1.00' }));

const ids = (rows: readonly Row[] | undefined) => rows?.map(({ id }) => id);

test('a pipeline runs in a database of its own and is told by what it left there', async () => {
  const tested = await testPipeline(parts, {
    tables: TABLES,
    rows: {
      parts: [{ id: 9, name: 'old', price: 1 }],
      notes: [{ at: '2024-02-03T04:05:06+01:00', more: { a: [1] }, big: 9007199254740993n, done: true }],
    },
  });
  assert.equal(tested.summary.status, 'completed');
  assert.deepEqual(tested.before.parts, [{ id: 9, name: 'old', price: '1.00' }]);
  assert.deepEqual(tested.tables, {
    parts: [
      { id: 1, name: 'bolt', price: '2.50' },
      { id: 2, name: 'nut', price: '0.10' },
    ],
    notes: [
      { at: '2024-02-03 03:05:06+00', text: null, more: { a: [1] }, big: '9007199254740993', done: true },
    ],
  });
  assert.deepEqual([tested.summary.skip_reasons, tested.rejects, tested.error], [{ gone: 1 }, [], null]);
  assert.deepEqual(await tested.query('SELECT count(*)::int AS n FROM parts WHERE price > $1', ['1']), [
    { n: 1 },
  ]);

  const again = await tested.again();
  assert.deepEqual([again.summary.status, again.tables], ['unchanged', again.before]);
  const undone = await tested.rollback();
  assert.deepEqual([undone.whole, undone.after], [true, tested.before]);
  await tested.close();
});

test('rows, sources and settings are given for one run; rejects are all there, with their lines', async () => {
  const tables =
    'CREATE TABLE parts (id integer PRIMARY KEY, name text NOT NULL, price numeric(8,2) NOT NULL)';
  const bad = many(15).map((part) => ({ ...part, price: 'free' }));
  const tested = await testPipeline(parts, {
    tables,
    inputs: { parts: [...bad, ...many(20).slice(15)] },
    maxRejects: 15,
  });
  assert.deepEqual(
    tested.rejects.map(({ line, column_name, value }) => [line, column_name, value]),
    bad.map((_, at) => [at + 1, 'price', 'free']),
  );
  assert.deepEqual(ids(tested.tables.parts), [16, 17, 18, 19, 20]);
  const empty = await tested.again({ inputs: { parts: [] }, allowEmpty: true, maxShrink: 100 });
  assert.deepEqual(empty.tables.parts, []);
});

test('a run that must fail is told by its error, and live is as it was', async () => {
  const tested = await testPipeline(parts, {
    tables: TABLES,
    settings: { least: '5' },
    fails: 'validation_refused',
  });
  assert.match(tested.error?.message ?? '', /2 rows are too few/);
  assert.deepEqual([tested.summary.status, tested.tables], ['refused', tested.before]);
  assert.equal((await tested.again({ settings: {} })).summary.status, 'completed');
  await assert.rejects(
    tested.again({ settings: {}, always: true, fails: 'validation_refused' }),
    isSluice('did_not_fail'),
  );
  await assert.rejects(
    testPipeline(parts, { tables: TABLES, settings: { least: '5' }, fails: 'too_many_rejects' }),
    isSluice('validation_refused'),
  );
});

test('a trial publishes nothing; a load is staged', async () => {
  for (const [until, status] of [
    ['dry run', 'dry run'],
    ['rehearsal', 'rehearsed'],
    ['load', 'staged'],
  ] as const) {
    const tested = await testPipeline(parts, { tables: TABLES, until });
    assert.deepEqual([tested.summary.status, tested.tables], [status, tested.before]);
    await tested.close();
  }
});

test('faults: a bad row is a reject', async () => {
  const fault = faults.badRow({ input: 'parts', at: 2, values: { id: 'two' } });
  const refused = await testPipeline(parts, { tables: TABLES, faults: [fault], fails: 'too_many_rejects' });
  assert.deepEqual(
    refused.rejects.map(({ line, column_name, value }) => [line, column_name, value]),
    [[2, 'id', 'two']],
  );
  const without = await refused.again({ faults: [fault], maxRejects: 1 });
  assert.deepEqual(ids(without.tables.parts), [1]);
  await assert.rejects(
    without.again({ faults: [faults.badRow({ input: 'parts', at: 99, values: {} })] }),
    isSluice('fault_not_met', /parts, 99/),
  );
  await assert.rejects(
    without.again({ faults: [faults.badRow({ input: 'part', at: 1, values: {} })] }),
    isSluice('no_such_input', /parts/),
  );
});

test('faults: a lost connection publishes nothing, and the load goes on where it broke off', async () => {
  const broken = await testPipeline(parts, {
    tables: TABLES,
    rows: { parts: [{ id: 9, name: 'old', price: 1 }] },
    inputs: { parts: many(2000) },
    segmentBytes: 2_000,
    faults: [faults.lostConnection({ input: 'parts', at: 1500 })],
    fails: 'connection_lost',
  });
  assert.deepEqual(ids(broken.tables.parts), [9]);
  assert.deepEqual(broken.error?.facts.kept, 'load');
  const resumed = await broken.again({ resume: broken.batch as string });
  assert.deepEqual(
    [resumed.batch, resumed.summary.status, resumed.summary.read],
    [broken.batch, 'completed', 2000],
  );
  assert.equal(resumed.tables.parts?.length, 2000);
});

test('faults: a run that is asked to stop ends as interrupted, and can be resumed where staging is kept', async () => {
  const stopped = await testPipeline(parts, {
    tables: TABLES,
    inputs: { parts: many(2000) },
    segmentBytes: 2_000,
    keepStaging: true,
    faults: [faults.stopped({ input: 'parts', at: 1500 })],
    fails: 'interrupted',
  });
  assert.deepEqual(stopped.tables.parts, []);
  const resumed = await stopped.again({ resume: stopped.batch as string });
  assert.equal(resumed.tables.parts?.length, 2000);
});

test('faults: what others write meanwhile is noticed, and stays where nobody is to notice it', async () => {
  const write = faults.meanwhile({
    input: 'parts',
    at: 2,
    sql: "INSERT INTO parts VALUES (50, 'written', 1)",
  });
  const refused = await testPipeline(parts, {
    tables: TABLES,
    faults: [write],
    fails: 'live_written_during_load',
  });
  assert.deepEqual(ids(refused.tables.parts), [50]);
  const merging = pipeline({
    ...parts,
    validations: [],
    tables: { parts: merge('parts', { columns: ['id', 'name', 'price'], key: ['id'] }) },
  });
  const merged = await testPipeline(merging, { tables: TABLES, faults: [write], guard: 'off' });
  assert.deepEqual(ids(merged.tables.parts), [1, 2, 50]);
});
