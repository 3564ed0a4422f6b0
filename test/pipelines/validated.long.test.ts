import assert from 'node:assert/strict';
import { test } from 'node:test';
import lotConsolidation from '../../pipelines/lot-consolidation/index.js';
import recipeSnapshots from '../../pipelines/recipe-snapshots/index.js';
import tasksToOperations from '../../pipelines/tasks-to-operations/index.js';
import { demo as lotDemo } from '../../samples/lot-consolidation/demo.js';
import { demo as bakeryDemo } from '../../samples/recipe-snapshots/demo.js';
import { demo as machineShopDemo } from '../../samples/tasks-to-operations/demo.js';
import { testDatabase } from '../support/database.js';
import { runOn } from '../support/lots.js';
import { validated, wrong } from '../support/validated.js';

test('tasks-to-operations: a good run is valid afterwards, also when people have worked on', async (t) => {
  const database = await testDatabase(t);
  await machineShopDemo.prepare((sql) => database.query(sql));
  const { summary } = await runOn(t, database, tasksToOperations);
  assert.deepEqual(wrong(await validated(t, database, tasksToOperations, summary.batch as string)), []);

  // A second operation, other fields, a part without a task, a timer that runs, another cost.
  await database.query(`
    INSERT INTO tasks_operation SELECT (jsonb_populate_record(o, jsonb_build_object('key', o.key || '-2', 'order', 2))).* FROM tasks_operation o LIMIT 1;
    UPDATE tasks_operation SET name = name || ' (2)', "order" = 3 WHERE key = (SELECT max(key) FROM tasks_operation);
    UPDATE tasks_part SET quantity = coalesce(quantity, 0) + 1 WHERE id = (SELECT max(id) FROM tasks_part);
    INSERT INTO tasks_part SELECT (jsonb_populate_record(p, jsonb_build_object('id', p.id + 1000, 'key', 'PT-new', 'task_key', NULL))).* FROM tasks_part p LIMIT 1;
    UPDATE tasks_timer SET finish_time = NULL WHERE id = (SELECT max(id) FROM tasks_timer);
    UPDATE tasks_partcostagg SET total_cost = total_cost + 1 WHERE part_id = (SELECT min(part_id) FROM tasks_partcostagg);
    DELETE FROM tasks_partcostagg WHERE part_id = (SELECT max(part_id) FROM tasks_partcostagg)`);
  const after = await validated(t, database, tasksToOperations, summary.batch as string);
  assert.deepEqual(wrong(after), []);
  // What is not compared any more is said.
  assert.match(
    after.notes.join('\n'),
    /^\d of \d+ rows that it wrote to public\.tasks_partcostagg were changed or deleted since, and are not compared/m,
  );

  // What was published is still looked at.
  await database.query(
    `UPDATE tasks_timer SET content_type_id = (SELECT id FROM django_content_type WHERE app_label = 'machining' AND model = 'task')
     WHERE id = (SELECT min(m.id) FROM tasks_timer m JOIN django_content_type c ON c.id = m.content_type_id AND c.model = 'operation')`,
  );
  assert.match(
    wrong(await validated(t, database, tasksToOperations, summary.batch as string)).join('\n'),
    /timers-follow: a timer is on tasks that are operations now/,
  );
  await database.query(
    "UPDATE machining_task SET name = 'other' WHERE key = (SELECT min(key) FROM machining_task)",
  );
  assert.match(
    wrong(await validated(t, database, tasksToOperations, summary.batch as string)).join('\n'),
    /fields-as-before/,
  );
});

test('recipe-snapshots: a good run is valid afterwards, also when the bakery has gone on', async (t) => {
  const database = await testDatabase(t);
  await bakeryDemo.prepare((sql) => database.query(sql));
  const { summary } = await runOn(t, database, recipeSnapshots);
  assert.deepEqual(wrong(await validated(t, database, recipeSnapshots, summary.batch as string)), []);

  await database.query(`
    UPDATE production_runs SET notes = 'burnt' WHERE id = (SELECT min(id) FROM production_runs);
    INSERT INTO production_runs SELECT (jsonb_populate_record(r, jsonb_build_object('id', r.id + 1000, 'recipe_snapshot_id', NULL))).* FROM production_runs r LIMIT 1`);
  assert.deepEqual(wrong(await validated(t, database, recipeSnapshots, summary.batch as string)), []);

  // A snapshot that points to another run than the one that points to it.
  await database.query(`
    UPDATE recipe_snapshots SET production_run_id = (SELECT max(id) FROM production_runs)
    WHERE id = (SELECT max(recipe_snapshot_id) FROM production_runs)`);
  assert.match(
    wrong(await validated(t, database, recipeSnapshots, summary.batch as string)).join('\n'),
    /snapshot-for-every-run/,
  );
});

test('lot-consolidation: a good run is valid afterwards', async (t) => {
  const database = await testDatabase(t);
  await lotDemo.prepare((sql) => database.query(sql));
  const { summary } = await runOn(t, database, lotConsolidation, { settings: { backup: 'off' } });
  assert.deepEqual(wrong(await validated(t, database, lotConsolidation, summary.batch as string)), []);
});
