import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchBatch } from '../../../src/cli/commands/watch.js';
import { StageCounter } from '../../../src/core/accounting.js';
import { flow } from '../../../src/core/flow.js';
import { pipeline } from '../../../src/core/pipeline.js';
import type { Row } from '../../../src/core/row.js';
import { merge } from '../../../src/core/target.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { liveCounts } from '../../../src/run/inputs/live-counts.js';
import { tellProgress } from '../../../src/run/load/ticker.js';
import { FrequentErrors } from '../../../src/run/rejects/frequent-errors.js';
import { memory } from '../../../src/sources/memory.js';
import { filter, validate } from '../../../transforms/index.js';
import { testDatabase } from '../../support/database.js';
import { engine } from '../../support/engine.js';

const OWNERS: readonly Row[] = [
  { code: 'o1', name: 'Ana' },
  { code: 'o2', name: '' },
  { code: 'o3', name: '' },
  { code: 'o4', name: 'gone' },
  { code: 'x', name: 'Eva' },
];

const owners = (rows = OWNERS) =>
  pipeline({
    name: 'owners',
    summary: 'owners',
    inputs: { owners: memory('owners.csv', rows) },
    tables: { owners: merge('owners', { columns: ['code', 'name'], key: ['code'] }) },
    records: { owners: { type: 'client', sourceId: 'code' } },
    flows: ({ inputs, tables }) => [
      flow(inputs.owners)
        .through(
          filter((row: Row) => row.name !== 'gone', 'gone_away'),
          validate<Row>({
            type: 'object',
            properties: {
              name: { type: 'string', minLength: 1 },
              code: { type: 'string', pattern: '^o' },
            },
          }),
        )
        .into(tables.owners as never),
    ],
  });

const TYPES = {
  type: 'client',
  total: 5,
  success: 1,
  error: 3,
  skipped: 1,
  errors: { min_length: 2, pattern: 1 },
  skips: { gone_away: 1 },
};
const ERRORS = [
  { reason: 'min_length', column: 'name', rows: 2, line: 2, id: 'o2' },
  { reason: 'pattern', column: 'code', rows: 1, line: 5, id: 'x' },
];

test('a refused run leaves in the ledger what became of its records, and the errors with an example', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE owners (id serial, code text PRIMARY KEY, name text)');
  const { run, database: own } = engine(t, database);
  await assert.rejects(run(owners()), { code: 'too_many_rejects' });
  const batch = await findBatch(own, '1');
  assert.deepEqual(batch.record_summary?.types, [TYPES]);
  assert.deepEqual(
    batch.record_summary?.errors.map(({ example: { line, source_id: id }, ...rest }) => ({
      ...rest,
      line,
      id,
    })),
    ERRORS,
  );
  assert.deepEqual(
    [batch.total_records, batch.processed_records, batch.success_count, batch.error_count, batch.skip_count],
    [5, 5, 1, 3, 1],
  );
});

test('the summary counts records by type; what a publish left as it was is skipped', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE owners (id serial, code text PRIMARY KEY, name text)');
  const { run, database: own } = engine(t, database);
  const options = { maxRejects: { rows: 3 } };
  const dry = await run(owners(), { ...options, dryRun: true });
  assert.deepEqual(dry.summary.records, [TYPES], 'a dry run counts the same');
  assert.equal(dry.summary.frequent_errors.length, 2);
  await run(owners(), options);
  const { summary } = await run(owners(), options);
  const again = { ...TYPES, success: 0, skipped: 2, skips: { gone_away: 1, unchanged: 1 } };
  assert.deepEqual(summary.records, [again]);
  const batch = await findBatch(own, summary.batch as string);
  assert.deepEqual(batch.record_summary?.types, [again]);
  assert.deepEqual([batch.success_count, batch.error_count, batch.skip_count], [0, 3, 2]);
});

test('the ten most frequent errors are shown, by reason and column', () => {
  const frequent = new FrequentErrors();
  const example = { input: 'i', line: 1, source_id: null, message: 'm' };
  for (let kind = 1; kind <= 12; kind++)
    for (let row = 0; row < kind; row++)
      if (frequent.add({ reason: 'r', column: `c${kind}` }))
        frequent.example({ reason: 'r', column: `c${kind}` }, example as never);
  const top = frequent.top();
  assert.deepEqual(
    top.map(({ column, rows }) => `${column} ${rows}`),
    Array.from({ length: 10 }, (_, i) => `c${12 - i} ${12 - i}`),
  );
  assert.deepEqual(top[0]?.example, example);
});

test('while rows are on their way, processed is what has come to an end', () => {
  const counter = (stage: string, branch: string, set: Partial<StageCounter>) =>
    Object.assign(new StageCounter(stage, branch, stage.startsWith('into ') ? 'end' : 'stage'), set);
  const counts = liveCounts([
    [
      counter('read a', '', { out: 100, rejected: { bad_line: 2 } }),
      counter('filter', '', { in: 100, skipped: { gone: 10 } }),
      counter('into a', '1', { in: 60, rejected: { range: 1 } }),
      counter('only some', '2', { in: 60, skipped: { elsewhere: 50 } }),
      counter('into b', '2', { in: 10 }),
    ],
    [counter('read b', '', { out: 7 }), counter('into c', '', { in: 7 })],
  ]);
  assert.deepEqual(counts, {
    total_records: 109,
    processed_records: 79,
    success_count: 66,
    error_count: 3,
    skip_count: 10,
  });
});

test('a running load tells the ledger how far it is, and who watches sees it to its end', async (t) => {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE owners (id serial, code text PRIMARY KEY, name text)');
  const { run } = engine(t, database);
  const watcher = engine(t, database);
  let moved: () => void = () => {};
  const seen = new Promise<void>((resolve) => {
    moved = resolve;
  });
  const rows = OWNERS.slice(0, 1);
  const slow = owners(rows);
  const source = slow.inputs.owners as ReturnType<typeof memory>;
  const held = {
    ...source,
    async *read(running: Parameters<typeof source.read>[0]) {
      yield* source.read(running);
      await seen;
    },
  };
  let watching: Promise<number> | undefined;
  const lines: string[] = [];
  const write = process.stdout.write.bind(process.stdout);
  t.after(() => {
    process.stdout.write = write;
  });
  const ended = run(slow, {
    inputs: { owners: held as never },
    onBatch: (batch) => {
      process.stdout.write = ((text: string) => {
        for (const line of String(text).split('\n')) if (line.startsWith('{"batch"')) lines.push(line);
        // Somebody has seen it move: then it may go on.
        if (/"state":"running \(load\)","total":1,"processed":1/.test(text)) moved();
        return true;
      }) as typeof process.stdout.write;
      watching = watchBatch(
        { database: watcher.database, signal: new AbortController().signal },
        batch,
        true,
        20,
      );
    },
  });
  await ended;
  assert.equal(await watching, 0);
  process.stdout.write = write;
  const states = lines.map((line) => JSON.parse(line) as { state: string; success: number });
  assert.equal(states.at(-1)?.state, 'completed');
  assert.equal(states.at(-1)?.success, 1);
});

test('a word that cannot be told is left out, and stops nothing', async () => {
  const job = {
    options: { database: { query: () => Promise.reject(new Error('gone')) } },
    batch: '1',
    counts: {},
    progress: [],
  };
  const told = tellProgress(job as never, 1);
  await new Promise((resolve) => setTimeout(resolve, 10));
  await told();
});
