import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { newTables } from '../../pipelines/tasks-to-operations/new-tables.js';
import { demo } from '../../samples/tasks-to-operations/demo.js';
import { FILES, fill, script } from '../../samples/tasks-to-operations/generate.js';
import { tasks } from '../../samples/tasks-to-operations/system.js';
import { usersDatabase } from '../../src/db/users-database.js';
import { testDatabase } from '../support/database.js';
import { openDatabase } from '../support/lots.js';
import { asCsv, machineShop, machining } from '../support/machining.js';
import { EXPECTED } from '../support/machining-tables.js';

test('the sample loads, and the independent SQL gives the expected files', async (t) => {
  const database = await machineShop(t);
  const found = await asCsv(database, await machining('expected.sql'));
  assert.equal(found.length, EXPECTED.length);
  for (const [at, name] of EXPECTED.entries())
    assert.equal(found[at], await machining(`expected/${name}.csv`), name);
});

test('each awkward case loads into a system with the new tables', async (t) => {
  const cases = await readdir(new URL('bad/', FILES));
  assert.ok(cases.length >= 7);
  const database = await machineShop(t, { newTables: true });
  for (const name of cases) await database.query(`BEGIN; ${await machining(`bad/${name}`)}; ROLLBACK`);
  await database.query(await machining('existing.sql'));
});

test('the demo makes its tables in an empty database, and its looks find them', async (t) => {
  const database = await testDatabase(t);
  await demo.prepare((sql) => database.query(sql));
  assert.equal((await database.query("SELECT to_regclass('tasks_part') AS part"))[0]?.part, null);
  await database.query(await machining('new-tables.sql'));
  const found: [string, number][] = [];
  for (const { title, sql } of demo.look) found.push([title, (await database.query(sql)).length]);
  assert.deepEqual(found, [
    ['Timers by what they are on', 2],
    ['Tasks and their costs', 11],
    ['Parts, their operations and costs', 0],
  ]);
});

test('no statement of the file with the new tables is lost when it is taken apart by table', async (t) => {
  const database = usersDatabase(openDatabase(t, await machineShop(t)));
  const made = Object.values(await newTables({ database })).flatMap(({ create, after = [] }) => [
    create,
    ...after,
  ]);
  const file = (await machining('new-tables.sql')).replace(/^--.*\n/gm, '');
  const squeeze = (sql: string) => sql.replace(/[\s;]+/g, ' ').trim();
  assert.equal(squeeze(made.join(';\n')), squeeze(file));
});

test('the generator gives the same bytes for the same seed, and others for another', () => {
  const digest = (seed: number) => {
    const hash = createHash('sha256');
    for (const piece of script({ tasks: 500, timers: 2500, seed })) hash.update(piece);
    return hash.digest('hex');
  };
  assert.equal(digest(7), digest(7));
  assert.notEqual(digest(7), digest(8));
});

test('the generator makes as many tasks and timers as asked for', () => {
  for (const [count, timers] of [
    [0, 0],
    [1, 0],
    [3, 50],
    [2000, 9999],
  ] as const) {
    const made = [...tasks({ tasks: count, timers, seed: 3 })];
    assert.equal(made.length, count);
    assert.equal(
      made.reduce((sum, task) => sum + task.timers.length, 0),
      timers,
    );
    assert.equal(new Set(made.map(({ key }) => key)).size, count);
  }
});

test('a generated system fits the tables', async (t) => {
  const database = await machineShop(t, { data: false });
  await fill(await database.connect(), { tasks: 300, timers: 1500, seed: 5 });
  const [counts] = await database.query(
    `SELECT (SELECT count(*)::int FROM machining_task) AS tasks,
            (SELECT count(*)::int FROM tasks_timer WHERE content_type_id = 7) AS timers,
            (SELECT count(*)::int FROM tasks_timer WHERE content_type_id = 12) AS others`,
  );
  assert.deepEqual(counts, { tasks: 300, timers: 1500, others: 6 });
});
