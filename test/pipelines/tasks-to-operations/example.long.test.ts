import assert from 'node:assert/strict';
import { test } from 'node:test';
import tasksToOperations from '../../../pipelines/tasks-to-operations/index.js';
import { fill } from '../../../samples/tasks-to-operations/generate.js';
import { tasks } from '../../../samples/tasks-to-operations/system.js';
import { checkPipeline } from '../../../src/run/check.js';
import { catalog, checksum, leftGuards, leftSchemas, openDatabase } from '../../support/lots.js';
import { asCsv, machineShop, machining, runTasks, shopContents, undo } from '../../support/machining.js';
import { EXPECTED, MIGRATED } from '../../support/machining-tables.js';

const NEW = ['tasks_operation', 'tasks_part', 'tasks_partcostagg', 'tasks_partcostagguser'];

test('check and dry run make nothing, and answer although the new tables are missing', async (t) => {
  const database = await machineShop(t);
  const before = [await shopContents(database), await catalog(database)];
  const checked = await checkPipeline(tasksToOperations, {
    database: openDatabase(t, database),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  assert.deepEqual(
    checked.findings.map(({ name, finding }) => [name, finding.severity]),
    [
      ['new-application', 'note'],
      ['row-counts', 'note'],
    ],
  );
  assert.equal(
    checked.findings[1]?.finding.message,
    '11 tasks, 0 of them migrated already; 9 of 11 timers are on tasks; 6 job costs, 6 by user',
  );
  assert.deepEqual(
    checked.plan.tables.filter(({ missing }) => missing).map(({ table }) => table),
    ['tasks_part', 'tasks_operation', 'tasks_partcostagg', 'tasks_partcostagguser'],
  );
  const { summary } = await runTasks(t, database, { dryRun: true });
  assert.equal(summary.status, 'dry run');
  assert.equal(summary.read, 35);
  assert.deepEqual([await shopContents(database), await catalog(database)], before);
});

test('a rehearsal publishes and takes all of it back, the new tables too', async (t) => {
  const database = await machineShop(t);
  const before = [await shopContents(database), await catalog(database, false)];
  const { summary } = await runTasks(t, database, { rehearse: true });
  assert.equal(summary.status, 'rehearsed');
  assert.deepEqual([await shopContents(database), await catalog(database, false)], before);
  assert.deepEqual(await leftSchemas(database), []);
  assert.deepEqual(await leftGuards(database), []);
});

test('the whole sample comes out as the expected files have it, and the old tables stay as they were', async (t) => {
  const database = await machineShop(t);
  const before = await shopContents(database);
  const { summary } = await runTasks(t, database);
  assert.equal(summary.status, 'completed');
  const found = await asCsv(database, MIGRATED);
  for (const [at, name] of EXPECTED.entries())
    assert.equal(found[at], await machining(`expected/${name}.csv`), name);
  const after = await shopContents(database);
  for (const table of ['auth_user', 'machines_machine', 'machining_task', 'machining_jobcostagg'])
    assert.equal(after[table], before[table], table);
  assert.deepEqual(summary.loaded, {
    django_content_type: 1,
    tasks_part: 11,
    tasks_operation: 11,
    tasks_timer: 9,
    tasks_partcostagg: 6,
    tasks_partcostagguser: 6,
  });
  assert.deepEqual(await leftGuards(database), []);
  // The tables are those of the file, keys and all, and number on behind what was loaded.
  const made = await machineShop(t, { newTables: true });
  const facts = async (of: typeof database) =>
    (await catalog(of, false)).filter((fact) => NEW.some((table) => fact.includes(table)));
  assert.deepEqual(await facts(database), await facts(made));
  const [next] = await database.query<{ id: string }>(
    "INSERT INTO tasks_part (key, name, created_at) VALUES ('PT-NEXT', 'the next one', now()) RETURNING id",
  );
  assert.equal(next?.id, '12');
});

test('one rollback puts everything back, to the row, and drops the tables that the batch had made', async (t) => {
  const database = await machineShop(t);
  const before = [await shopContents(database), await catalog(database, false)];
  const { summary } = await runTasks(t, database);
  const { whole, notes } = await undo(t, database, summary.batch as string);
  assert.equal(whole, true);
  assert.deepEqual([await shopContents(database), await catalog(database, false)], before);
  assert.match(notes.join('\n'), /dropped, since this batch had made them: .*tasks_partcostagguser/);
  // And the way is free for the next night.
  assert.equal((await runTasks(t, database)).summary.status, 'completed');
});

test('a second run changes nothing and says so; tasks added since are migrated, and only they', async (t) => {
  const database = await machineShop(t);
  await runTasks(t, database);
  const once = await shopContents(database);
  const second = await runTasks(t, database);
  assert.equal(second.summary.status, 'unchanged');
  assert.deepEqual(second.summary.skip_reasons, { already_migrated: 23 });
  assert.deepEqual(await shopContents(database), once);
  // The new system goes on meanwhile: what was migrated has a life of its own.
  await database.query(`
    UPDATE tasks_operation SET in_plan = true, name = 'Turn' WHERE key = 'M-1002';
    UPDATE tasks_partcostagg SET cost_ww = 1, total_cost = 941 WHERE part_id = 2;
    INSERT INTO tasks_operation (key, part_id, name, "order", interchangeable, in_plan, plan_locked, created_at)
      VALUES ('M-1002-2', 2, 'Mill', 2, false, false, false, now());
    INSERT INTO machining_task (key, name) VALUES ('M-0500', 'A late one');
    INSERT INTO tasks_timer (content_type_id, object_id, user_id, start_time, finish_time)
      VALUES (7, 'M-0500', 2, '2025-03-10 05:00+00', '2025-03-10 06:00+00'), (7, 'M-1001', 2, '2025-03-10 07:00+00', '2025-03-10 08:00+00');
    INSERT INTO machining_jobcostagg (task_id, hours_ww, cost_ww, total_cost) VALUES ('M-0500', 1, 18.40, 18.40), ('M-1006', 1, 18.40, 18.40);
  `);
  const third = await runTasks(t, database);
  assert.equal(third.summary.status, 'completed');
  assert.deepEqual(third.summary.loaded, {
    django_content_type: 0,
    tasks_part: 1,
    tasks_operation: 1,
    tasks_timer: 2,
    tasks_partcostagg: 2,
    tasks_partcostagguser: 0,
  });
  assert.deepEqual(third.summary.reports[0]?.rows, []);
  const late = await database.query(
    `SELECT p.id::int, p.key, c.total_cost FROM tasks_part p JOIN tasks_operation o ON o.part_id = p.id
     JOIN tasks_partcostagg c ON c.part_id = p.id WHERE o.key IN ('M-0500', 'M-1006') ORDER BY 1`,
  );
  assert.deepEqual(late, [
    { id: 6, key: 'PT-M-1006', total_cost: '18.40' },
    { id: 12, key: 'PT-M-0500', total_cost: '18.40' },
  ]);
  const [mine] = await database.query("SELECT name FROM tasks_operation WHERE key = 'M-1002'");
  assert.deepEqual(mine, { name: 'Turn' });
});

test('what the new system holds already stays, and ids go on after all that were ever given', async (t) => {
  const database = await machineShop(t, { newTables: true, sql: await machining('existing.sql') });
  const born = async () => [
    await checksum(database, 'SELECT * FROM tasks_part WHERE task_key IS NULL'),
    await checksum(database, "SELECT * FROM tasks_operation WHERE key LIKE 'PT-9000%'"),
    await checksum(database, 'SELECT * FROM tasks_partcostagg WHERE part_id = 500'),
    await checksum(database, "SELECT * FROM tasks_timer WHERE object_id LIKE 'PT-9000%'"),
  ];
  const before = await born();
  const contents = await shopContents(database);
  const { summary } = await runTasks(t, database);
  assert.deepEqual(await born(), before);
  const [ids] = await database.query(
    'SELECT min(id)::int AS first, max(id)::int AS last, count(*)::int AS n FROM tasks_part WHERE task_key IS NOT NULL',
  );
  assert.deepEqual(ids, { first: 511, last: 521, n: 11 });
  const types = await database.query<{ id: number; n: number }>(
    'SELECT content_type_id AS id, count(*)::int AS n FROM tasks_timer GROUP BY 1 ORDER BY 1',
  );
  assert.deepEqual(types, [
    { id: 12, n: 2 },
    { id: 31, n: 10 },
  ]);
  assert.equal(summary.loaded.django_content_type, 0);
  await undo(t, database, summary.batch as string);
  // Tables that were there are not the batch's to drop.
  assert.deepEqual(await shopContents(database), contents);
});

test('2,000 generated tasks with 10,000 timers come out as independent SQL says', async (t) => {
  const options = { tasks: 2000, timers: 10_000, seed: 11, stale: 0.01 };
  const database = await machineShop(t, { data: false });
  await fill(await database.connect(), options);
  const wanted = await asCsv(database, await machining('expected.sql'));
  const { summary } = await runTasks(t, database);
  assert.deepEqual(await asCsv(database, MIGRATED), wanted);
  assert.equal(summary.loaded.tasks_timer, 10_000);
  // The generator reckoned the costs without SQL: only those that it put out of date differ.
  const stale = [...tasks(options)].filter(({ cost, byUser }) => {
    const sum = [...byUser.values()].reduce((so, each) => so + each.costs[0], 0);
    return cost !== undefined && cost.costs[0] !== sum;
  });
  assert.ok(stale.length > 5);
  const [report] = summary.reports;
  assert.deepEqual(
    report?.rows.map(([part, , , , difference]) => [part, difference]).sort(),
    stale.map(({ key }) => [`PT-${key}`, '-1.00']).sort(),
  );
});
