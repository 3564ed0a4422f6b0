import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Changes } from '../../../src/core/changes.js';
import { append, merge, patch, replace, sync } from '../../../src/core/target.js';
import { findBatch } from '../../../src/db/ledger/batches.js';
import { readPublished } from '../../../src/db/ledger/published.js';
import type { RunOptions } from '../../../src/run/given/options.js';
import type { Summary } from '../../../src/run/given/summary.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { testDatabase } from '../../support/database.js';
import { engine, loads } from '../../support/engine.js';
import { long } from '../../support/long.js';

const COLUMNS = ['id', 'v'] as const;
const NONE: Changes = {
  ...{ staged: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0 },
  ...{ suppressed: 0, deleted: 0, deletes_suppressed: 0 },
};
/** Live rows 1 to 4, and a trigger that suppresses the row 9. */
const TABLE = `
CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 4) i;
CREATE FUNCTION nines() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 9 THEN RETURN NULL; END IF; RETURN NEW; END';
CREATE TRIGGER nines BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nines()`;

const rows = (...of: [number, string][]) => of.map(([id, v]) => ({ id: String(id), v }));

test('each mode tells what became of the rows, alike in the summary and in the ledger', async (t) => {
  const database = await testDatabase(t);
  const on = engine(t, database);
  const rehearse = async (
    given: Parameters<typeof loads>[0]['x'],
    wanted: Partial<Changes>,
    loaded: number,
    options: Partial<RunOptions> = {},
  ) => {
    const { summary } = await on.run(loads({ x: given }), { ...options, rehearse: true });
    // Whoever keeps nobody out does not know how many rows there will be.
    const unguarded = options.guard === 'off' ? { deleted: null } : {};
    assert.deepEqual(summary.changes, { t: { ...NONE, ...wanted, ...unguarded } });
    assert.deepEqual((await findBatch(on.database, summary.batch as string)).changes, summary.changes);
    assert.deepEqual(summary.loaded, { t: loaded });
  };
  const cases: [Parameters<typeof loads>[0]['x'], Partial<Changes>, number, Partial<RunOptions>?][] = [
    [[append('t', { columns: COLUMNS }), rows([5, 'e'], [6, 'f'])], { staged: 2, inserted: 2 }, 2],
    [
      [append('t', { columns: COLUMNS, allowSuppressed: true }), rows([5, 'e'], [9, 'n'])],
      { staged: 2, inserted: 1, suppressed: 1 },
      1,
    ],
    [
      [merge('t', { columns: COLUMNS, key: ['id'] }), rows([1, 'v1'], [2, 'new'], [5, 'e'], [9, 'n'])],
      { staged: 4, inserted: 1, updated: 1, unchanged: 1, suppressed: 1 },
      3,
      { allowSuppressed: true },
    ],
    [
      [sync('t', { columns: COLUMNS, key: ['id'] }), rows([1, 'v1'], [2, 'new'], [3, 'v3'])],
      { staged: 3, updated: 1, unchanged: 2, deleted: 1 },
      3,
    ],
    [
      [patch('t', { columns: COLUMNS, key: ['id'], missing: 'skip' }), rows([1, 'new'], [2, 'v2'], [7, 'x'])],
      { staged: 3, updated: 1, unchanged: 1, missing: 1 },
      2,
    ],
    [
      [replace('t', { columns: COLUMNS }), rows([1, 'a'], [9, 'b'], [10, 'c'])],
      { staged: 3, inserted: 3, deleted: 4 },
      3,
    ],
    [
      [replace('t', { columns: COLUMNS }), rows([1, 'a'], [9, 'b'], [10, 'c'])],
      { staged: 3, inserted: 3, deleted: 4 },
      3,
      { guard: 'off' },
    ],
  ];
  for (const [given, wanted, loaded, options] of cases) {
    await database.query(`DROP TABLE IF EXISTS t; DROP FUNCTION IF EXISTS nines; ${TABLE}`);
    if (given[0].mode !== 'append') await rehearse(given, wanted, loaded, options);
    const { summary } = await on.run(loads({ x: given }), options);
    assert.deepEqual(summary.changes, { t: { ...NONE, ...wanted } });
    assert.deepEqual(summary.loaded, { t: loaded });
    const [published] = await readPublished(on.database, summary.batch as string);
    assert.deepEqual(published?.changes, { ...NONE, ...wanted });
    assert.equal((await findBatch(on.database, summary.batch as string)).changes, null);
    // A table that is dropped next must not be one that an earlier batch keeps a copy of.
    const back = await rollbackBatch(summary.batch as string, { database: on.database, log: on.log });
    const [table] = back.tables;
    const wantedBack =
      given[0].mode === 'replace'
        ? [null, 3, 4]
        : [wanted.updated ?? 0, wanted.inserted ?? 0, wanted.deleted ?? 0];
    assert.deepEqual([table?.restored, table?.removed, table?.reinserted], wantedBack);
    assert.deepEqual(await database.query('SELECT count(*)::int AS n, min(v) AS v FROM t'), [
      { n: 4, v: 'v1' },
    ]);
  }
});

test('a run that changes nothing says how many rows it found as they were', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const same = rows([1, 'v1'], [2, 'v2']);
  const { summary } = await on.run(loads({ x: [merge('t', { columns: COLUMNS, key: ['id'] }), same] }));
  assert.equal(summary.status, 'unchanged');
  assert.deepEqual(summary.changes, { t: { ...NONE, staged: 2, unchanged: 2 } });
  assert.deepEqual((await findBatch(on.database, summary.batch as string)).changes, summary.changes);
});

test('a dry run tells what it can know, and no more', async (t) => {
  const database = await testDatabase(t);
  await database.query(`${TABLE}; CREATE TABLE plain (id int PRIMARY KEY, v text)`);
  const on = engine(t, database);
  const given = rows([7, 'x'], [8, 'y']);
  const dry = async (target: Parameters<typeof loads>[0]['x'][0]) =>
    (await on.run(loads({ x: [target, given] }), { dryRun: true })).summary.changes[target.table];
  const unknown = { inserted: null, suppressed: null };
  assert.deepEqual(await dry(replace('t', { columns: COLUMNS })), {
    ...NONE,
    ...{ staged: 2, inserted: 2, deleted: 4 },
  });
  assert.deepEqual(await dry(append('plain', { columns: COLUMNS })), { ...NONE, staged: 2, inserted: 2 });
  assert.deepEqual(await dry(append('t', { columns: COLUMNS })), { ...NONE, staged: 2, ...unknown });
  assert.deepEqual(await dry(merge('t', { columns: COLUMNS, key: ['id'] })), {
    ...NONE,
    ...{ staged: 2, ...unknown, updated: null, unchanged: null },
  });
});

test('rows that are gone from staging between load and swap stop the publish', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = loads({ x: [append('t', { columns: COLUMNS }), rows([5, 'e'], [6, 'f'])] });
  const { summary } = await on.run(of, { publish: false });
  assert.deepEqual([summary.loaded, summary.changes], [{ t: 2 }, {}]);
  await database.query(`DELETE FROM sluice_staging_${summary.batch}.t WHERE id = 5`);
  const swap = async () =>
    swapBatch(of, await findStaged(on.database, summary.batch as string), {
      database: on.database,
      log: on.log,
    });
  await assert.rejects(swap, { code: 'unaccounted_rows' });
  assert.deepEqual(await database.query('SELECT max(id) AS id FROM t'), [{ id: 4 }]);
  await database.query(`INSERT INTO sluice_staging_${summary.batch}.t VALUES (5, 'e')`);
  assert.deepEqual((await swap()).changes, { t: { ...NONE, staged: 2, inserted: 2 } });
});

test('a batch that an earlier version staged is published with its numbers all the same', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = loads({ x: [append('t', { columns: COLUMNS }), rows([5, 'e'])] });
  const { summary } = await on.run(of, { publish: false });
  const counts = `sluice_old_${summary.batch}.publish_counts`;
  await database.query(
    `ALTER TABLE ${counts} DROP COLUMN fresh, DROP COLUMN suppressed, ADD COLUMN added bigint NOT NULL`,
  );
  const batch = await findStaged(on.database, summary.batch as string);
  const swapped = await swapBatch(of, batch, { database: on.database, log: on.log });
  assert.deepEqual(swapped.changes, { t: { ...NONE, staged: 1, inserted: 1 } });
});

test('what a load was allowed a later swap is allowed, and a swap may be allowed it', async (t) => {
  const database = await testDatabase(t);
  await database.query(TABLE);
  const on = engine(t, database);
  const of = (id: number) => loads({ x: [append('t', { columns: COLUMNS }), rows([id, 'x'], [9, 'n'])] });
  const swap = async (id: number, batch: string | null, options: Partial<RunOptions> = {}) =>
    swapBatch(of(id), await findStaged(on.database, batch as string), {
      ...{ database: on.database, log: on.log },
      ...options,
    });
  const allowed = await on.run(of(5), { publish: false, allowSuppressed: true });
  assert.equal((await swap(5, allowed.summary.batch)).changes.t?.suppressed, 1);
  const { batch } = (await on.run(of(6), { publish: false })).summary;
  await assert.rejects(swap(6, batch), { code: 'rows_suppressed' });
  assert.equal((await swap(6, batch, { allowSuppressed: true })).changes.t?.suppressed, 1);
});

long(
  'the wait for an answer is no time of the run, and a run that is not confirmed tells what it is',
  async (t) => {
    const database = await testDatabase(t);
    await database.query(TABLE);
    const on = engine(t, database);
    const of = loads({ x: [append('t', { columns: COLUMNS }), rows([5, 'e'])] });
    const from = performance.now();
    const { summary } = await on.run(of, { confirm: () => sleep(1500, true) });
    const took = (performance.now() - from) / 1000;
    assert.ok(summary.seconds < took - 1.4, `${summary.seconds} of ${took} s`);
    let failed: Summary | undefined;
    await assert.rejects(
      on.run(of, {
        confirm: async () => false,
        events: {
          failed: (told) => {
            failed = told;
          },
        },
      }),
      { kind: 'interrupted' },
    );
    assert.deepEqual(
      [failed?.status, failed?.batch, failed?.error?.message, failed?.error?.state],
      ['interrupted', null, 'not confirmed', 'nothing was written'],
    );
  },
);
