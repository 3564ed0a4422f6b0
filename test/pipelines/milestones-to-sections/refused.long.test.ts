import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import milestonesToSections from '../../../pipelines/milestones-to-sections/index.js';
import {
  dashboardEqual,
  dueDates,
  history,
  instancesStillThere,
  relationships,
  statuses,
} from '../../../pipelines/milestones-to-sections/questions.js';
import { FILES, sampleFile } from '../../../samples/milestones-to-sections/sqlite.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Validation, ValidationContext } from '../../../src/core/pipeline.js';
import type { TestDatabase } from '../../support/database.js';
import { AS_OF, fromFile, milestoneFile, milestoneSystem, runMilestones } from '../../support/milestones.js';
import { validated, wrong } from '../../support/validated.js';

const CASES: Readonly<Record<string, readonly RegExp[]>> = {
  'orphan-instance': [
    /supplier_task_instances.projectMilestoneTaskId → project_milestone_tasks/,
    /supplier_task_instances.supplierId → suppliers/,
  ],
  'invalid-status': [/status is one of 7 values/, /status Done/],
  'invalid-date': [
    /invalid_date: 1/,
    /line 9: dueDate is no date and time/,
    /project_milestone_task_rejected: 1/,
  ],
  'other-milestone': [/is of the milestone it says/, /pmt_p_fai/],
  'orphan-milestone': [/milestones.taskTypeId → task_types/, /typ_gone/],
};

test('what the old system cannot mean is refused by name', async (t) => {
  const files = (await readdir(new URL('bad/', FILES))).map((name) => name.replace(/\.sql$/, ''));
  assert.deepEqual(files.sort(), Object.keys(CASES).sort());
  const database = await milestoneSystem(t, { old: false });
  for (const [name, said] of Object.entries(CASES)) {
    await t.test(name, async (t) => {
      const path = await milestoneFile(t, [await sampleFile(`bad/${name}.sql`)]);
      await assert.rejects(runMilestones(t, database, { inputs: fromFile(path), dryRun: true }), (error) => {
        assert.ok(error instanceof SluiceError);
        assert.equal(error.kind, 'refused');
        const text = [error.message, ...(error.facts.details ?? [])].join('\n');
        for (const pattern of said) assert.match(text, pattern);
        return true;
      });
    });
  }
});

/** Asks a validation of what is live, as `sluice validate` does, or as of staging. */
function ask(database: TestDatabase, validation: Validation, published: boolean) {
  const names: Readonly<Record<string, string>> = {
    suppliers: 'suppliers',
    projects: 'projects',
    taskTypes: 'task_types',
    sections: 'task_type_sections',
    tasks: 'tasks',
    projectTaskTypes: 'project_task_types',
    templates: 'project_task_templates',
    instances: 'supplier_task_instances',
    before: 'migration_before',
  };
  const context = {
    database,
    settings: { as_of: AS_OF },
    published,
    staged: (name: string) => `v2.${names[name]}`,
    live: (name: string) => `v2.${names[name]}`,
  };
  return validation.ask(context as unknown as ValidationContext);
}

const DAMAGE: readonly (readonly [validation: Validation, says: string, sql: string, message: RegExp])[] = [
  [
    instancesStillThere,
    'a lost instance',
    "DELETE FROM v2.supplier_task_instances WHERE id = 'sti_03'",
    /1 supplier task instances are lost: sti_03/,
  ],
  [
    dueDates,
    'a lost override',
    "UPDATE v2.supplier_task_instances SET actual_due_date = NULL WHERE id = 'sti_05'",
    /sti_05: was 2025-06-10 00:00:00 \(override\), is 2025-06-10 00:00:00/,
  ],
  [
    dueDates,
    'a moved project date',
    "UPDATE v2.project_task_templates SET due_date = due_date + interval '1 millisecond' WHERE id = 'pmt_v_sa'",
    /sti_13: was 2025-05-20 00:00:00, is 2025-05-20 00:00:00.001/,
  ],
  [
    relationships,
    'an instance that leads to another task',
    "UPDATE v2.supplier_task_instances SET project_task_template_id = 'pmt_v_sa' WHERE id = 'sti_10'",
    /sti_10: was sup_bolt prj_valve pmt_v_doc, is sup_bolt prj_valve pmt_v_sa/,
  ],
  [
    relationships,
    'a type that the project lacks',
    "DELETE FROM v2.project_task_types WHERE project_id = 'prj_valve' AND task_type_id = 'typ_nmr'",
    /sti_10: .*\(type not in the project\)/,
  ],
  [
    history,
    'a note that lost its last space',
    "UPDATE v2.supplier_task_instances SET notes = rtrim(notes, E'\\n') WHERE id = 'sti_14'",
    /other notes or attachments than before: sti_14/,
  ],
  [
    history,
    'an empty attachment that became none',
    "UPDATE v2.supplier_task_instances SET attachments = NULL WHERE id = 'sti_05'",
    /sti_05/,
  ],
  [
    statuses,
    'another status',
    "UPDATE v2.supplier_task_instances SET status = 'completed' WHERE id = 'sti_06'",
    /sti_06: was approved 2025-06-01 08:00:00.001, is completed/,
  ],
  [
    statuses,
    'one that applies again',
    "UPDATE v2.supplier_task_instances SET is_applied = true WHERE id = 'sti_12'",
    /sti_12: was in_progress \(not applied\), is in_progress/,
  ],
  [
    dashboardEqual,
    'a task that is not overdue any more',
    "UPDATE v2.supplier_task_instances SET status = 'completed' WHERE id = 'sti_13'",
    /supplier sup_cera, project prj_valve: was .*"overdue": ?2.*, is .*"overdue": ?1/,
  ],
];

test('every validation finds what it is there for, and names it', async (t) => {
  const database = await milestoneSystem(t);
  await runMilestones(t, database);
  for (const [validation, says, sql, message] of DAMAGE) {
    await t.test(`${validation.name}: ${says}`, async () => {
      assert.deepEqual(await ask(database, validation, false), []);
      await database.query(`BEGIN; ALTER TABLE v2.project_task_types DISABLE TRIGGER ALL; ${sql}`);
      try {
        const findings = await ask(database, validation, false);
        const text = findings.map((each) => `${each.message}: ${(each.details ?? []).join('\n')}`).join('\n');
        assert.match(text, message);
        assert.ok(findings.every(({ severity }) => severity === 'error'));
      } finally {
        await database.query('ROLLBACK');
      }
    });
  }
  await t.test('later on, what the application has written since is no fault of the migration', async () => {
    await database.query(`
      UPDATE v2.supplier_task_instances SET status = 'completed', notes = 'new', updated_at = now() WHERE id = 'sti_13';
      UPDATE v2.project_task_templates SET due_date = '2026-01-01', updated_at = now() WHERE id = 'pmt_p_fai';
      INSERT INTO v2.supplier_task_instances (id, supplier_id, project_task_template_id) VALUES ('new', 'sup_none', 'pmt_v_sa')`);
    for (const validation of [
      instancesStillThere,
      dueDates,
      relationships,
      history,
      statuses,
      dashboardEqual,
    ])
      assert.deepEqual(await ask(database, validation, true), [], validation.name);
  });
  await t.test('an instance that the application has deleted since is told, and fails nothing', async () => {
    await database.query("DELETE FROM v2.supplier_task_instances WHERE id = 'sti_03'");
    const [told, ...more] = await ask(database, instancesStillThere, true);
    assert.deepEqual(more, []);
    assert.equal(told?.severity, 'warning');
    assert.match(told?.message ?? '', /deleted since the publish, or lost/);
    assert.equal(told?.next, undefined);
  });
});

test('rejected instances are not said to be preserved, and a lost one cannot hide behind them', async (t) => {
  const [database, path] = await Promise.all([
    milestoneSystem(t, { old: false }),
    milestoneFile(t, [
      `UPDATE supplier_task_instances SET isApplied = 'perhaps' WHERE id IN ('sti_03', 'sti_05')`,
    ]),
  ]);
  await assert.rejects(runMilestones(t, database, { inputs: fromFile(path) }), /reject/);
  const { summary, said } = await runMilestones(t, database, {
    inputs: fromFile(path),
    maxRejects: { rows: 2 },
  });
  assert.equal(summary.rejected, 2);
  assert.match(
    said.join('\n'),
    /all-supplier-task-instances-preserved: 2 supplier task instances of the old system were set aside and are not in the new one: .* 2.*sti_03.*sti_05/s,
  );
  const after = await validated(t, database, milestonesToSections, summary.batch as string);
  assert.deepEqual(wrong(after), []);
  assert.match(
    after.validations.flatMap(({ findings }) => findings.map(({ message }) => message)).join('\n'),
    /2 supplier task instances .* were set aside/,
  );
});

test('children of rejected rows are rejects themselves, all the way down, and the rest is whole', async (t) => {
  const [database, path] = await Promise.all([
    milestoneSystem(t, { old: false }),
    milestoneFile(t, [
      "UPDATE suppliers SET updatedAt = '2025-06-31' WHERE id = 'sup_cera'",
      "UPDATE task_types SET createdAt = 'never' WHERE id = 'typ_nmr'",
      "UPDATE tasks SET sequence = 'two' WHERE id = 'tsk_fai2'",
      "UPDATE project_milestone_tasks SET dueDate = 'soon' WHERE id IN ('pmt_p_fai', 'pmt_p_dup')",
    ]),
  ]);
  const { summary } = await runMilestones(t, database, {
    inputs: fromFile(path),
    maxRejects: { rows: 27 },
  });
  assert.deepEqual(
    { ...summary.reject_reasons },
    {
      invalid_date: 4,
      task_type_rejected: 3,
      milestone_rejected: 3,
      invalid_integer: 1,
      task_rejected: 4,
      supplier_rejected: 4,
      project_milestone_task_rejected: 8,
    },
  );
  assert.equal(summary.status, 'completed');
  assert.deepEqual(
    await database.query('SELECT id FROM v2.supplier_task_instances ORDER BY id COLLATE "C"'),
    ['STI_15', 'sti_03', 'sti_04', 'sti_09'].map((id) => ({ id })),
  );
  assert.deepEqual(
    await database.query('SELECT id FROM v2.task_type_sections WHERE is_placeholder ORDER BY id'),
    [{ id: 'mil_pa_hole' }],
  );
  assert.deepEqual(wrong(await validated(t, database, milestonesToSections, summary.batch as string)), []);
});
