import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import tasksToOperations from '../../../pipelines/tasks-to-operations/index.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Finding } from '../../../src/core/pipeline.js';
import { checkPipeline } from '../../../src/run/check.js';
import { findPublished, validateBatch } from '../../../src/run/maintain/revalidate.js';
import type { TestDatabase } from '../../support/database.js';
import { catalog, openDatabase } from '../../support/lots.js';
import { machineShop, machining, runTasks, shopContents, undo } from '../../support/machining.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** What the check finds, but for notes. */
async function found(t: TestContext, database: TestDatabase): Promise<(Finding & { name: string })[]> {
  const opened = openDatabase(t, database);
  const { findings } = await checkPipeline(tasksToOperations, { database: opened, log: quiet });
  await opened.close();
  return findings
    .map(({ name, finding }) => ({ name, ...finding }))
    .filter(({ severity }) => severity !== 'note');
}

const lines = ({ details = [] }: Finding) => details.join('\n');
const next = (finding: Finding | undefined) => [finding?.next ?? []].flat().join('\n');

/** What the foreign keys of the new tables refer to. */
const referred = async (database: TestDatabase) =>
  (
    await database.query<{ name: string }>(
      `SELECT DISTINCT confrelid::regclass::text AS name FROM pg_constraint
       WHERE contype = 'f' AND conrelid::regclass::text IN ('tasks_part', 'tasks_operation', 'tasks_partcostagg', 'tasks_partcostagguser')
       ORDER BY 1`,
    )
  ).map(({ name }) => name);

const RUNNING =
  "INSERT INTO tasks_timer (content_type_id, object_id, user_id, start_time) VALUES (7, 'M-1007', 2, '2025-03-10 06:12:00+00')";

/** Another table of users, whose ids are larger, and another of machines. */
const RENAMED = `
  ALTER TABLE auth_user RENAME TO accounts_person; ALTER TABLE accounts_person ALTER id TYPE bigint;
  ALTER TABLE machining_task ALTER created_by_id TYPE bigint, ALTER completed_by_id TYPE bigint;
  ALTER TABLE tasks_timer ALTER user_id TYPE bigint; ALTER TABLE machining_jobcostagguser ALTER user_id TYPE bigint;
  ALTER TABLE machines_machine RENAME TO "plant.Machine"`;

test('the table of users may be another: it is found by what timers refer to, and the new tables refer to it', async (t) => {
  const database = await machineShop(t, { sql: RENAMED });
  const before = [await shopContents(database), await catalog(database, false)];
  const { summary } = await runTasks(t, database);
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await referred(database), ['"plant.Machine"', 'accounts_person', 'tasks_part']);
  const types = await database.query(
    `SELECT DISTINCT format_type(atttypid, atttypmod) AS type FROM pg_attribute
     WHERE attname IN ('created_by_id', 'user_id') AND attrelid IN ('tasks_part'::regclass, 'tasks_operation'::regclass, 'tasks_partcostagguser'::regclass)`,
  );
  assert.deepEqual(types, [{ type: 'bigint' }]);
  await undo(t, database, summary.batch as string);
  assert.deepEqual([await shopContents(database), await catalog(database, false)], before);
  await database.query(RUNNING);
  const [timer] = await found(t, database);
  assert.match(lines(timer as Finding), /^task M-1007: mehmet, since/);
});

test('users without a username are shown by their id', async (t) => {
  const database = await machineShop(t, {
    sql: `${RENAMED}; ALTER TABLE accounts_person DROP COLUMN username; ${RUNNING}; ${await machining('bad/orphan-cost.sql')}; ${await machining('bad/orphan-timer.sql')}`,
  });
  const findings = await found(t, database);
  const of = (wanted: string) => lines(findings.find(({ name }) => name === wanted) as Finding);
  assert.match(of('no-active-timer'), /^task M-1007: user 2, since/);
  assert.match(of('orphan-timers'), /^timer 900: task M-0999, user 2, from/);
  assert.match(of('orphan-costs'), /^task M-0999, user 2: 18\.40 EUR$/m);
});

test('without any table of users all is migrated, and nothing refers to one', async (t) => {
  const database = await machineShop(t, { sql: 'DROP TABLE auth_user CASCADE' });
  assert.deepEqual(await found(t, database), []);
  const { summary } = await runTasks(t, database);
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await referred(database), ['machines_machine', 'tasks_part']);
});

/** The new tables of an application whose parts have their key as the primary key, as tasks and operations have. */
async function keyedShop(t: TestContext, sql = ''): Promise<TestDatabase> {
  const tables = (await machining('new-tables.sql'))
    .replace(
      / {2}id bigint GENERATED .*,\n {2}key varchar\(255\) NOT NULL UNIQUE,/,
      '  key varchar(255) NOT NULL PRIMARY KEY,',
    )
    .replace(/part_id bigint/g, 'part_id varchar(255)')
    .replaceAll('REFERENCES tasks_part (id)', 'REFERENCES tasks_part (key)');
  return machineShop(t, { sql: `${tables}; ${sql}` });
}

test('parts whose primary key is their key: operations and costs refer to it, and a rollback takes all back', async (t) => {
  const database = await keyedShop(t);
  const before = [await shopContents(database), await catalog(database, false)];
  assert.deepEqual(await found(t, database), []);
  const { summary } = await runTasks(t, database);
  assert.equal(summary.status, 'completed');
  assert.equal(summary.loaded.tasks_part, 11);
  const wrong = await database.query(
    `SELECT t.key FROM machining_task t
     LEFT JOIN tasks_part p ON p.task_key = t.key LEFT JOIN tasks_operation o ON o.key = t.key
     LEFT JOIN machining_jobcostagg j ON j.task_id = t.key LEFT JOIN tasks_partcostagg c ON c.part_id = p.key
     WHERE p.key IS DISTINCT FROM 'PT-' || t.key OR o.part_id IS DISTINCT FROM p.key OR j.total_cost IS DISTINCT FROM c.total_cost`,
  );
  assert.deepEqual(wrong, []);
  const opened = openDatabase(t, database);
  const asked = await validateBatch(tasksToOperations, await findPublished(opened, summary.batch as string), {
    database: opened,
    log: quiet,
  });
  await opened.close();
  assert.deepEqual(
    asked.validations.filter(({ ok }) => !ok),
    [],
  );
  // Once more there is nothing to do; a task added since is migrated, and only that.
  assert.equal((await runTasks(t, database)).summary.status, 'unchanged');
  await database.query(`
    INSERT INTO machining_task (key, name) VALUES ('M-0500', 'A late one');
    INSERT INTO machining_jobcostagg (task_id, hours_ww, cost_ww, total_cost) VALUES ('M-0500', 1, 18.40, 18.40)`);
  const late = await runTasks(t, database);
  assert.deepEqual([late.summary.loaded.tasks_part, late.summary.loaded.tasks_partcostagg], [1, 1]);
  await database.query("DELETE FROM machining_jobcostagg WHERE task_id = 'M-0500'");
  await undo(t, database, late.summary.batch as string);
  await undo(t, database, summary.batch as string);
  await database.query("DELETE FROM machining_task WHERE key = 'M-0500'");
  assert.deepEqual([await shopContents(database), await catalog(database, false)], before);
});

test('with recompute=refuse, the costs of parts by their key are compared, too', async (t) => {
  const database = await keyedShop(
    t,
    "UPDATE machining_jobcostagg SET total_cost = total_cost + 5 WHERE task_id = 'M-1002'",
  );
  await assert.rejects(runTasks(t, database, { settings: { recompute: 'refuse' } }), (error: SluiceError) => {
    assert.equal(error.code, 'validation_refused');
    assert.match((error.facts.details ?? []).join('\n'), /PT-M-1002/);
    return true;
  });
});

test('parts that are referred to by something else are refused by the check, which names it', async (t) => {
  const tables = (await machining('new-tables.sql'))
    .replace(
      '  key varchar(255) NOT NULL UNIQUE,',
      '  key varchar(255) NOT NULL UNIQUE,\n  code bigint NOT NULL DEFAULT 0 UNIQUE,',
    )
    .replaceAll('REFERENCES tasks_part (id)', 'REFERENCES tasks_part (code)');
  const findings = await found(t, await machineShop(t, { sql: tables }));
  const finding = findings.find(({ name }) => name === 'part-key');
  assert.equal(finding?.severity, 'error');
  assert.match(lines(finding as Finding), /^tasks_operation: code \(bigint\)$/m);
  assert.match(next(finding), /tasks_part\.id, or to tasks_part\.key/);
});

test('a column of the new tables that only the application fills is refused with the ALTER TABLE that fills it', async (t) => {
  const database = await machineShop(t, {
    newTables: true,
    sql: 'ALTER TABLE tasks_part ADD priority integer NOT NULL; ALTER TABLE tasks_operation ADD "Colour" varchar(9) NOT NULL',
  });
  const findings = await found(t, database);
  assert.deepEqual(
    findings.map(({ message }) => message),
    [
      'public.tasks_part.priority is NOT NULL, has no default, and is filled by nobody',
      'public.tasks_operation.Colour is NOT NULL, has no default, and is filled by nobody',
    ],
  );
  const statements = findings.map(
    (finding) => /ALTER TABLE .* SET DEFAULT \S+/.exec(next(finding))?.[0] ?? '',
  );
  assert.deepEqual(statements, [
    'ALTER TABLE "public"."tasks_part" ALTER COLUMN "priority" SET DEFAULT 0',
    `ALTER TABLE "public"."tasks_operation" ALTER COLUMN "Colour" SET DEFAULT ''`,
  ]);
  await database.query(statements.join('; '));
  assert.equal((await runTasks(t, database)).summary.status, 'completed');
});

test('a column of one’s own on the old tables is named, and can be left behind; timers keep theirs', async (t) => {
  const database = await machineShop(t, {
    sql: `ALTER TABLE machining_task ADD status text NOT NULL DEFAULT 'wartet auf Prüfung'; ALTER TABLE machining_jobcostagguser ADD note text;
      ALTER TABLE tasks_timer ADD shift text; UPDATE tasks_timer SET shift = 'S' || id`,
  });
  const [finding, ...others] = await found(t, database);
  assert.deepEqual(others, []);
  assert.match(
    finding?.message ?? '',
    /2 columns of the old system are not carried over: tasks\.status, jobUserCosts\.note$/,
  );
  const [, given = ''] = /leave_behind=(\S+)/.exec(next(finding)) ?? [];
  assert.equal(given, 'tasks.status,jobUserCosts.note');
  const { summary } = await runTasks(t, database, { settings: { leave_behind: given } });
  assert.equal(summary.status, 'completed');
  assert.deepEqual(
    await database.query(
      `SELECT count(*)::int AS n FROM tasks_timer WHERE shift IS DISTINCT FROM 'S' || id
       UNION ALL SELECT count(*)::int FROM machining_task WHERE status <> 'wartet auf Prüfung'`,
    ),
    [{ n: 0 }, { n: 0 }],
  );
});
