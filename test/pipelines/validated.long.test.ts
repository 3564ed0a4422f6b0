import assert from 'node:assert/strict';
import { test } from 'node:test';
import lotConsolidation from '../../pipelines/lot-consolidation/index.js';
import okvetImport from '../../pipelines/okvet-import/index.js';
import recipeSnapshots from '../../pipelines/recipe-snapshots/index.js';
import tasksToOperations from '../../pipelines/tasks-to-operations/index.js';
import { demo as lotDemo } from '../../samples/lot-consolidation/demo.js';
import { demo as bakeryDemo } from '../../samples/recipe-snapshots/demo.js';
import { demo as machineShopDemo } from '../../samples/tasks-to-operations/demo.js';
import { testDatabase } from '../support/database.js';
import { runOn } from '../support/lots.js';
import { GOOD, importing, practiceDatabase } from '../support/okvet.js';
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

test('okvet-import: the rules are asked of what was published, and who has broken them since is told apart', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, GOOD);
  const ask = () => validated(t, database, okvetImport, summary.batch as string);
  assert.deepEqual(wrong(await ask()), []);

  // Columns that mean the same, and a row of the practice's own.
  await database.query(`
    ALTER TABLE appointments ALTER scheduled_at TYPE timestamptz;
    ALTER TABLE pets ALTER weight_kg TYPE numeric(8,4);
    INSERT INTO clients (first_name, phone) VALUES ('By hand', '1')`);
  assert.deepEqual(wrong(await ask()), []);

  await database.query(`
    UPDATE clients SET email = 'broken' WHERE source_id = '1';
    UPDATE pets SET birth_date = '2024-01-01' WHERE source_id = 'P1'`);
  const changed = await ask();
  assert.equal(changed.ok, true);
  assert.deepEqual(
    changed.validations.flatMap(({ findings }) =>
      findings.map(({ severity, message, details }) => [severity, message, details]),
    ),
    [
      [
        'warning',
        '1 row of clients breaks the rules of its record type, written by somebody else since, or by another batch',
        ['client 1 (id 1): Invalid email format'],
      ],
      [
        'warning',
        '1 row of medical_records breaks the rules of its record type, written by somebody else since, or by another batch',
        ['medical_record E1 (id 1): The visit (2023-05-06) is before the birth (2024-01-01)'],
      ],
    ],
  );
});

test('okvet-import: of later batches those are named that have changed rows of the table', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, GOOD);
  const changed = GOOD.pets.map((pet) => ({ ...pet, Color: 'Negro' }));
  const later = await importing(t, database, { clients: GOOD.clients, pets: changed });
  const { notes } = await validated(t, database, okvetImport, summary.batch as string);
  assert.deepEqual(
    notes.filter((note) => note.startsWith('batch')),
    [`batch ${later.summary.batch} has published to public.pets since`],
  );
});

test('okvet-import: what a trigger has made of published rows is asked of the rules', async (t) => {
  const database = await practiceDatabase(t);
  await database.query(`
    CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.phone := ''none''; RETURN NEW; END';
    CREATE TRIGGER spoil BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION spoil()`);
  const { summary } = await importing(t, database, GOOD);
  assert.deepEqual(wrong(await validated(t, database, okvetImport, summary.batch as string)), [
    'rules: 2 rows of clients break the rules of their record type, as the batch wrote them: client 1 (id 1): Invalid phone format; client 2 (id 2): Invalid phone format',
  ]);
});

test('okvet-import: an orphan that was made since is told with what can be done about it', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, GOOD);
  await database.query(`
    ALTER TABLE pets DROP CONSTRAINT pets_client_id_fkey;
    DELETE FROM clients WHERE source_id = '2'`);
  const { validations } = await validated(t, database, okvetImport, summary.batch as string);
  const [finding] = validations.flatMap(({ findings }) => findings);
  assert.equal(finding?.message, '1 row of pets refers to rows of clients that are not there');
  assert.deepEqual(finding?.details, ['pet P2']);
  assert.equal(
    finding?.next,
    'put the rows of "public"."clients" back that are missing, or correct "client_id" of these rows of "public"."pets"',
  );
});
