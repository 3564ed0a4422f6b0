import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replace, sync } from '../../../src/core/target.js';
import { lost, mostRows } from '../../../src/run/publish/shrink.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { leftSchemas } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

const COLUMNS = ['id', 'v'] as const;
const rows = (n: number, from = 1) =>
  Array.from({ length: n }, (_, i) => ({ id: String(from + i), v: `new ${from + i}` }));
const TABLE =
  "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' FROM generate_series(1, 100) i";

test('a replace that would keep less than half of the rows is refused, with before, after and the flag', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = (n: number, maxShrink?: number) =>
    loads({
      x: [replace('t', { columns: COLUMNS, ...(maxShrink === undefined ? {} : { maxShrink }) }), rows(n)],
    });
  for (const options of [{}, { dryRun: true }, { rehearse: true }, { publish: false }]) {
    const error = await thrown(on.run(of(49), options));
    assert.deepEqual([error.code, error.kind], ['would_shrink', 'refused']);
    assert.equal(
      error.message,
      'too many rows would go: public.t would have 49 rows of the 100 that it has now',
    );
    assert.match(String(error.facts.next), /if it is: the same command with --max-shrink 51%$/);
  }
  assert.deepEqual(await leftSchemas(database), []);
  // Some rows of many say nothing of the whole.
  assert.equal((await on.run(of(49), { rehearse: true, limit: 10 })).summary.status, 'rehearsed');
  assert.equal((await on.run(of(50), { rehearse: true })).summary.status, 'rehearsed');
  assert.equal((await on.run(of(49), { rehearse: true, maxShrink: 51 })).summary.status, 'rehearsed');
  assert.equal((await on.run(of(1, 99), { rehearse: true })).summary.status, 'rehearsed');
  assert.equal((await thrown(on.run(of(80, 10), { rehearse: true }))).code, 'would_shrink');
  // The command goes before the pipeline.
  assert.equal((await on.run(of(80, 10), { rehearse: true, maxShrink: 20 })).summary.status, 'rehearsed');
  assert.equal((await thrown(on.run(of(80, 90), { rehearse: true, maxShrink: 10 }))).code, 'would_shrink');
  assert.deepEqual(await database.query('SELECT count(*)::int AS n FROM t'), [{ n: 100 }]);
});

test('no rows at all are more than a pipeline can allow; a command can', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const none = loads({ x: [replace('t', { columns: COLUMNS, maxShrink: 100 }), []] });
  assert.equal((await thrown(on.run(none))).code, 'would_empty');
  assert.equal((await thrown(on.run(none, { maxShrink: 99.9 }))).code, 'would_empty');
  for (const allowed of [{ allowEmpty: true }, { maxShrink: 100 }]) {
    const { summary } = await on.run(none, { ...allowed, rehearse: true });
    assert.deepEqual([summary.changes.t?.inserted, summary.changes.t?.deleted], [0, 100]);
  }
});

test('a sync that deletes most of the rows is refused like a replace, by the rows that it would keep', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = (given: ReturnType<typeof rows>) =>
    loads({ x: [sync('t', { columns: COLUMNS, key: ['id'] }), given] });
  // As many rows as live has, of which 30 are in it.
  const others = rows(100, 71);
  const error = await thrown(on.run(of(others)));
  assert.equal(
    error.message,
    'too many rows would go: public.t would keep 30 rows of the 100 that it has now',
  );
  assert.match(String(error.facts.next), /--max-shrink 70%/);
  // A dry run knows only how many there are.
  assert.equal((await on.run(of(others), { dryRun: true })).summary.status, 'dry run');
  assert.equal((await thrown(on.run(of(rows(40)), { dryRun: true }))).code, 'would_shrink');
  for (const options of [{}, { dryRun: true }, { maxShrink: 99.9 }])
    assert.equal((await thrown(on.run(of([]), options))).code, 'would_empty');
  for (const allowed of [{ allowEmpty: true }, { maxShrink: 100 }])
    assert.equal((await on.run(of([]), { ...allowed, rehearse: true })).summary.changes.t?.deleted, 100);
  assert.deepEqual((await on.run(of(others), { maxShrink: 70 })).summary.changes.t, {
    ...{ staged: 100, inserted: 70, updated: 30, unchanged: 0, missing: 0 },
    ...{ suppressed: 0, deleted: 70, deletes_suppressed: 0 },
  });
});

test('a swap asks again: live may have grown since the load', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = loads({ x: [replace('t', { columns: COLUMNS }), rows(60)] });
  const load = await on.run(of, { publish: false, guard: 'off' });
  const batch = () => findStaged(on.database, load.summary.batch as string);
  await database.query("INSERT INTO t SELECT i, 'v' FROM generate_series(101, 200) i");
  const options = { database: on.database, log: on.log };
  const error = await thrown(swapBatch(of, await batch(), options));
  assert.equal(error.code, 'would_shrink');
  assert.match(error.facts.state ?? '', /nothing was published; .*batch 1 is staged/);
  const swapped = await swapBatch(of, await batch(), { ...options, maxShrink: 70 });
  assert.deepEqual([swapped.changes.t?.inserted, swapped.changes.t?.deleted], [60, 200]);
});

test('what a load was allowed its swap is allowed', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = loads({ x: [replace('t', { columns: COLUMNS }), rows(1)] });
  const load = await on.run(of, { publish: false, maxShrink: 99 });
  const batch = await findStaged(on.database, load.summary.batch as string);
  const swapped = await swapBatch(of, batch, { database: on.database, log: on.log });
  assert.equal(swapped.status, 'completed');
});

test('the most rows, and the share that is lost, are exact where a share has no exact form', () => {
  assert.equal(mostRows(10, 50), 20);
  assert.equal(mostRows(71, 29), 100);
  assert.equal(mostRows(667, 33.3), 1000);
  assert.equal(mostRows(1, 100), Number.POSITIVE_INFINITY);
  assert.equal(mostRows(5, 0), 5);
  for (const [before, after] of [
    [50_000, 10],
    [100, 49],
    [3, 2],
    [7, 1],
  ] as const)
    assert.ok(mostRows(after, lost(before, after)) >= before, `${before} to ${after}`);
  assert.equal(lost(50_000, 10), 99.98);
  assert.equal(lost(10_000_000, 1), 100);
});
