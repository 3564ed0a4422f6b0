import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleFile } from '../../../samples/milestones-to-sections/sqlite.js';
import {
  fromFile,
  milestoneFile,
  milestoneSystem,
  newTables,
  runMilestones,
} from '../../support/milestones.js';

/** Rows of a query as lines of CSV, NULL empty. */
const lines = (rows: readonly Record<string, unknown>[]) =>
  rows.map((row) =>
    Object.values(row)
      .map((value) => value ?? '')
      .join(','),
  );

const SECTIONS = `SELECT id, task_type_id, name, sequence, is_placeholder, milestone_code, milestone_name
  FROM v2.task_type_sections ORDER BY task_type_id COLLATE "C", sequence, id COLLATE "C"`;

test('from a Postgres: sections as expected, every instance and template as it was, and a second run changes nothing', async (t) => {
  const database = await milestoneSystem(t);
  const { summary } = await runMilestones(t, database);
  assert.equal(summary.status, 'completed');
  assert.equal(summary.rejected, 0);

  await t.test('standard names, duplicates told apart, placeholders', async () => {
    const expected = (await sampleFile('expected/sections.csv')).trimEnd().split('\n').slice(1);
    assert.deepEqual(lines(await database.query(SECTIONS)), expected);
  });
  await t.test('every instance keeps its values to the byte, re-pointed', async () => {
    const changed = await database.query(
      `SELECT coalesce(o.id, n.id) AS id FROM sluice_compat_1.supplier_task_instances o
       FULL JOIN v2.supplier_task_instances n USING (id)
       WHERE (o.id, o."supplierId", o."projectMilestoneTaskId", o.status, o."actualDueDate", o."completedAt", o.notes, o.attachments, o."isApplied", o."createdAt", o."updatedAt")
         IS DISTINCT FROM (n.id, n.supplier_id, n.project_task_template_id, n.status, n.actual_due_date, n.completed_at, n.notes, n.attachments, n.is_applied, n.created_at, n.updated_at)`,
    );
    assert.deepEqual(changed, []);
  });
  await t.test(
    'templates keep due date, notes and responsible parties, and their section through the task',
    async () => {
      const changed = await database.query(
        `SELECT coalesce(o.id, n.id) AS id FROM sluice_compat_1.project_milestone_tasks o
       FULL JOIN (v2.project_task_templates n JOIN v2.tasks t ON t.id = n.task_id) ON n.id = o.id
       WHERE (o."projectId", o."taskId", o."dueDate", o.notes, o."responsibleParties", o."milestoneId", o."createdAt", o."updatedAt")
         IS DISTINCT FROM (n.project_id, n.task_id, n.due_date, n.notes, n.responsible_parties, t.section_id, n.created_at, n.updated_at)`,
      );
      assert.deepEqual(changed, []);
    },
  );
  await t.test('the legacy model is carried as it is, orphans too', async () => {
    assert.deepEqual(
      lines(
        await database.query(
          'SELECT id, supplier_id, task_template_id, status, notes FROM v2.legacy_task_instances ORDER BY id',
        ),
      ),
      [
        'ins_1,sup_acme,tpl_1,DONE,from the spreadsheet',
        'ins_2,sup_gone,tpl_1,open,',
        'ins_3,sup_bolt,tpl_gone,???,its template is gone',
      ],
    );
  });
  await t.test('a second run, which reads through the views, changes nothing', async () => {
    assert.equal((await runMilestones(t, database)).summary.status, 'unchanged');
  });
  await t.test(
    'an SQLite file of the same content gives the same tables with the same ids elsewhere',
    async (t) => {
      const [other, path] = await Promise.all([milestoneSystem(t, { old: false }), milestoneFile(t)]);
      await runMilestones(t, other, { inputs: fromFile(path) });
      assert.deepEqual(await newTables(other), await newTables(database));
      assert.equal((await runMilestones(t, other, { inputs: fromFile(path) })).summary.status, 'unchanged');
    },
  );
});

test('legacy rows that are not carried are listed, every one', async (t) => {
  const database = await milestoneSystem(t);
  const { summary } = await runMilestones(t, database, { settings: { legacy: 'list' }, dryRun: true });
  const names = summary.reports.flatMap(({ name, rows, more }) =>
    name.startsWith('legacy') ? [[name, rows.map(([id]) => id), more]] : [],
  );
  assert.deepEqual(names.sort().reverse(), [
    ['legacy task templates not carried', ['tpl_1', 'tpl_2'], 0],
    ['legacy task instances not carried', ['ins_1', 'ins_2', 'ins_3'], 0],
  ]);
  assert.equal(summary.skip_reasons.legacy_not_carried, 5);
});
