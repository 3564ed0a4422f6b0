import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { tasks } from '../../../pipelines/tasks-to-operations/source.js';
import { FILES } from '../../../samples/tasks-to-operations/generate.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Source } from '../../../src/core/types.js';
import type { TestDatabase } from '../../support/database.js';
import { rowsAfter } from '../../support/engine.js';
import { catalog, leftGuards, leftSchemas } from '../../support/lots.js';
import { machineShop, machining, runTasks, shopContents } from '../../support/machining.js';
import { thrown } from '../../support/thrown.js';

interface Case {
  readonly says: string;
  readonly newTables?: boolean;
  readonly code: string;
  readonly message: RegExp;
  readonly lines: RegExp;
  readonly next: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  'active-timer': {
    says: 'running timers are refused, each with its task, user and since when',
    code: 'check_refused',
    message: /^no-active-timer: 2 timers are running$/,
    lines: /^task M-1007: mehmet, since 2025-03-10 .*\n^maintenance.request 42: ayse, since 2025-03-10/m,
    next: /have them stopped/,
  },
  'orphan-timer': {
    says: 'a timer of a task that is gone is refused, by its id',
    code: 'check_refused',
    message: /^orphan-timers: a timer is of a task that does not exist$/,
    lines: /^timer 900: task M-0999, mehmet, from 2025-01-10/m,
    next: /--set orphan_timers=leave/,
  },
  'orphan-cost': {
    says: 'costs of a task that is gone are rejects, and named',
    code: 'too_many_rejects',
    message: /^2 of 37 rows were rejected; none may be/,
    lines:
      /the costs of task M-0999 of 18.40 EUR for job J-2400 have no part to go to[\s\S]*by user 2 of 18.40 EUR/,
    next: /--max-rejects 2/,
  },
  'part-key-taken': {
    says: 'a part that has the key which a task wants is refused',
    newTables: true,
    code: 'check_refused',
    message: /^keys-free: a part has the key that a task wants$/,
    lines: /^PT-M-1002: wanted for task M-1002, held by part 1, which was no task$/m,
    next: /UPDATE "public"."tasks_part" SET key/,
  },
  'operation-key-taken': {
    says: 'an operation that has the key of a task is refused',
    newTables: true,
    code: 'check_refused',
    message: /^keys-free: an operation has the key of a task$/,
    lines: /^M-1002: an operation of part PT-1, which was not that task$/m,
    next: /UPDATE "public"."tasks_operation" SET key/,
  },
  'half-migrated': {
    says: 'a task whose part is there without its operation is refused',
    newTables: true,
    code: 'check_refused',
    message: /^keys-free: a task is half migrated$/,
    lines: /^M-1002: there is its part, 1, and not the operation M-1002 of it$/m,
    next: /delete those parts/,
  },
  'key-too-long': {
    says: 'a key that is too long with PT- in front is refused, with the length that it may have',
    code: 'check_refused',
    message:
      /^values-fit: a value does not fit into the new tables, and no task is migrated without its part/,
    lines:
      /^task K{40}…: "public"."tasks_part".key takes character varying\(255\), and it is PT-K{37}…, 256 characters$/m,
    next: /correct the values in the old system[\s\S]*make the new tables yourself/,
  },
};

test('there is a case here for every file in bad/', async () => {
  const files = (await readdir(new URL('bad/', FILES))).map((name) => name.replace('.sql', ''));
  assert.deepEqual(files.sort(), Object.keys(CASES).sort());
});

/** The error in which a run ends that must not publish; everything must be as before. */
async function refusedRun(
  database: TestDatabase,
  run: () => Promise<unknown>,
  changed: readonly string[] = [],
) {
  const before = [await shopContents(database), await catalog(database, false)];
  const error = await thrown(run());
  const after = [await shopContents(database), await catalog(database, false)];
  for (const table of changed)
    for (const sums of [before[0], after[0]]) delete (sums as Record<string, string>)[table];
  assert.deepEqual(after, before);
  assert.deepEqual(await leftSchemas(database), []);
  assert.deepEqual(await leftGuards(database), []);
  return error;
}

const lines = (error: SluiceError) => (error.facts.details ?? []).join('\n');
const next = (error: SluiceError) => [error.facts.next ?? []].flat().join('\n');

for (const [name, wanted] of Object.entries(CASES)) {
  test(wanted.says, async (t) => {
    const sql = await machining(`bad/${name}.sql`);
    const database = await machineShop(t, { newTables: wanted.newTables ?? false, sql });
    const error = await refusedRun(database, () => runTasks(t, database));
    assert.equal(error.kind, 'refused');
    assert.equal(error.code, wanted.code);
    assert.match(error.message, wanted.message);
    assert.match(lines(error), wanted.lines);
    assert.match(next(error), wanted.next);
    assert.match(error.facts.state ?? '', /live tables are untouched/);
  });
}

/** The tasks, read once `work` is done: by then the guard is armed. */
const tasksAfter = (work: () => Promise<unknown>): Source => ({
  ...tasks,
  async *read(run) {
    await work();
    yield* tasks.read(run);
  },
});

const START =
  "INSERT INTO tasks_timer (content_type_id, object_id, user_id, start_time) VALUES (7, 'M-1007', 2, now())";

test('a timer that is started during the run stops it', async (t) => {
  const database = await machineShop(t);
  const inputs = { tasks: tasksAfter(() => database.query(START)) };
  const error = await refusedRun(database, () => runTasks(t, database, { inputs }), ['tasks_timer']);
  assert.equal(error.code, 'validation_refused');
  assert.match(error.message, /no-active-timer: a timer is running/);
  assert.match(lines(error), /task M-1007: mehmet/);
});

test('a timer that is started and stopped during the run stops the publish, as does a changed task', async (t) => {
  for (const [table, write] of [
    ['tasks_timer', `${START}; UPDATE tasks_timer SET finish_time = now() WHERE finish_time IS NULL`],
    ['machining_task', "UPDATE machining_task SET plan_order = 9 WHERE key = 'M-1001'"],
    ['machining_jobcostagg', "UPDATE machining_jobcostagg SET currency = currency WHERE task_id = 'M-1001'"],
  ] as const) {
    const database = await machineShop(t);
    const inputs = { recomputed: afterReading(() => database.query(write)) };
    const error = await refusedRun(database, () => runTasks(t, database, { inputs }), [table]);
    assert.ok(['live_written_during_load', 'validation_refused'].includes(error.code), error.code);
  }
});

/** An empty input that does `work` when it is read, which is last. */
const afterReading = (work: () => Promise<unknown>): Source => rowsAfter([], work);

test('a part that is made during the run stops the publish', async (t) => {
  const database = await machineShop(t, { newTables: true });
  const write = "INSERT INTO tasks_part (key, name, created_at) VALUES ('PT-1', 'a new one', now())";
  const inputs = { recomputed: afterReading(() => database.query(write)) };
  const error = await refusedRun(database, () => runTasks(t, database, { inputs }), ['tasks_part']);
  assert.ok(
    ['live_written_during_load', 'too_many_rejects', 'validation_refused'].includes(error.code),
    error.code,
  );
});

test('without their own wage rates, columns and old tables: each is named with what to do', async (t) => {
  const cases = [
    ['DROP TABLE machining_jobcostagguser', /there is no table machining_jobcostagguser/, /database-url/],
    ['ALTER TABLE machining_task DROP COLUMN plan_locked', /the checks refused/, /manage.py migrate/],
    [
      "DELETE FROM tasks_timer; DELETE FROM django_content_type WHERE model = 'task'",
      /content-types/,
      /migrate/,
    ],
  ] as const;
  for (const [sql, message, step] of cases) {
    const database = await machineShop(t, { sql });
    const error = await thrown(runTasks(t, database));
    assert.match(error.message, message);
    assert.match(next(error), step);
  }
  const database = await machineShop(t, {
    newTables: true,
    sql: 'ALTER TABLE tasks_part DROP COLUMN task_key; DROP TABLE machining_wagerate',
  });
  const error = await thrown(runTasks(t, database));
  assert.match(next(error), /ALTER TABLE "public"."tasks_part" ADD COLUMN task_key/);
  await database.query('ALTER TABLE tasks_part ADD COLUMN task_key varchar(255) UNIQUE');
  const { summary, said } = await runTasks(t, database);
  assert.equal(summary.status, 'completed');
  assert.match(said.join('\n'), /recompute: there is no table machining_wagerate/);
  assert.match(JSON.stringify(summary), /the costs were not compared: there is no table machining_wagerate/);
});

test('without a wage rate costs are said to be not compared, and refused where they must be', async (t) => {
  const database = await machineShop(t, { sql: 'DELETE FROM machining_wagerate' });
  await assert.rejects(
    runTasks(t, database, { settings: { recompute: 'refuse' } }),
    /machining_wagerate is empty/,
  );
  const { summary } = await runTasks(t, database);
  assert.match(JSON.stringify(summary), /the costs were not compared: the table machining_wagerate is empty/);
  assert.doesNotMatch(JSON.stringify(summary), /no part's costs differ/);
});

test('with --max-rejects, costs without a task stay behind, counted; all else is migrated', async (t) => {
  const database = await machineShop(t, { sql: await machining('bad/orphan-cost.sql') });
  const { summary } = await runTasks(t, database, { maxRejects: { rows: 2 } });
  assert.equal(summary.status, 'completed');
  assert.deepEqual(summary.reject_reasons, { cost_without_part: 2 });
  assert.equal(summary.loaded.tasks_partcostagg, 6);
});

test('--max-rejects does not let a task through by half', async (t) => {
  // What only the new table itself knows of, no check asks.
  const sql =
    "ALTER TABLE tasks_part ADD CHECK (name <> 'odd'); INSERT INTO machining_task (key, name) VALUES ('M-1', 'odd')";
  const database = await machineShop(t, { newTables: true, sql });
  const rejected = await refusedRun(database, () => runTasks(t, database));
  assert.equal(rejected.code, 'too_many_rejects');
  assert.match(next(rejected), /correct the rows/);
  assert.doesNotMatch(next(rejected), /max-rejects/, 'it would lead nowhere');
  const error = await refusedRun(database, () => runTasks(t, database, { maxRejects: { rows: 2 } }));
  assert.equal(error.code, 'validation_refused');
  assert.match(`${error.message}\n${lines(error)}`, /tasks-are-parts: a task would not have one part/);
});

test('with orphan_timers=leave, timers of tasks that are gone stay as they are, counted', async (t) => {
  const database = await machineShop(t, { sql: await machining('bad/orphan-timer.sql') });
  const { summary } = await runTasks(t, database, { settings: { orphan_timers: 'leave' } });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.skip_reasons.left_on_missing_task, 1);
  const left = await database.query('SELECT id::int FROM tasks_timer WHERE content_type_id = 7');
  assert.deepEqual(left, [{ id: 900 }]);
});

test('the tolerance decides which recomputed costs are told, and recompute=refuse stops for them', async (t) => {
  const database = await machineShop(t);
  const told = async (settings: Record<string, string>) =>
    (await runTasks(t, database, { dryRun: true, settings })).summary.reports[0]?.rows.map((row) => [
      row[0],
      row[4],
      row[5],
    ]);
  assert.deepEqual(await told({}), [
    ['PT-M-1006', '18.40', 'hours_ww none, timers give 1.00; cost_ww none, timers give 18.40'],
    ['PT-M-1007', '1.50', 'cost_ww 35.30, timers give 36.80'],
  ]);
  assert.deepEqual(
    (await told({ tolerance: '0.001' }))?.map(([part]) => part),
    ['PT-M-1006', 'PT-M-1007', 'PT-M-1008'],
  );
  assert.deepEqual(await told({ tolerance: '20' }), []);
  assert.deepEqual(await told({ recompute: 'off' }), []);
  // In another place the same hours are others: the shaft's midnight comes three hours later.
  assert.ok((await told({ timezone: 'UTC' }))?.some(([part]) => part === 'PT-M-1002'));
  const error = await refusedRun(database, () =>
    runTasks(t, database, { settings: { recompute: 'refuse' } }),
  );
  assert.match(error.message, /^recomputed-costs: the costs of 2 parts differ/);
  assert.match(
    lines(error),
    /^PT-M-1007: 35.30 EUR, timers give 36.80 \(cost_ww 35.30, timers give 36.80\)$/m,
  );
  await assert.rejects(
    runTasks(t, database, { settings: { tolerance: "0.01'; DROP TABLE auth_user; --" } }),
    /is not understood/,
  );
});
