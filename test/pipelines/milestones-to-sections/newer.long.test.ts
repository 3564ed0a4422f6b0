import assert from 'node:assert/strict';
import { test } from 'node:test';
import milestonesToSections from '../../../pipelines/milestones-to-sections/index.js';
import { nothingNewer } from '../../../pipelines/milestones-to-sections/newer.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Finding, ValidationContext } from '../../../src/core/pipeline.js';
import { fromFile, milestoneFile, milestoneSystem, runMilestones } from '../../support/milestones.js';

/** What the new application writes, table by table, and what is said of it. */
const WRITTEN: readonly (readonly [sql: string, said: RegExp])[] = [
  [
    "INSERT INTO v2.suppliers (id, name, contact_info) VALUES ('sup_new', 'New', 'x')",
    /1 supplier of .*: sup_new/,
  ],
  [
    "UPDATE v2.suppliers SET contact_info = 'moved', updated_at = now() WHERE id = 'sup_acme'",
    /1 supplier of .*: sup_acme/,
  ],
  ["INSERT INTO v2.projects (id, name) VALUES ('prj_new', 'New')", /1 project of .*: prj_new/],
  ["INSERT INTO v2.task_types (id, name) VALUES ('typ_new', 'New')", /1 task type of .*: typ_new/],
  [
    "UPDATE v2.task_type_sections SET description = 'x', updated_at = now() WHERE id = (SELECT min(id) FROM v2.task_type_sections)",
    /1 section of .*: \w+/,
  ],
  ["UPDATE v2.task_type_sections SET name = 'Renamed' WHERE id = 'mil_pa2'", /1 section of .*: mil_pa2/],
  [
    "INSERT INTO v2.tasks (id, section_id, parent_task_id, name) SELECT 'tsk_sub', section_id, id, 'Sub' FROM v2.tasks LIMIT 1",
    /1 task of .*: tsk_sub/,
  ],
  [
    "INSERT INTO v2.project_task_types SELECT 'ptt_new', p.id, t.id FROM v2.projects p, v2.task_types t WHERE NOT EXISTS (SELECT FROM v2.project_task_types x WHERE x.project_id = p.id AND x.task_type_id = t.id) LIMIT 1",
    /1 project task type of .*: prj_\w+ typ_\w+/,
  ],
  [
    "UPDATE v2.project_task_templates SET notes = 'x', updated_at = now() WHERE id = 'pmt_v_sa'",
    /1 project task template of .*: pmt_v_sa/,
  ],
  [
    "UPDATE v2.supplier_task_instances SET notes = 'new', updated_at = now() WHERE id = 'sti_13'",
    /1 supplier task instance of .*: sti_13/,
  ],
  [
    "UPDATE v2.legacy_task_instances SET notes = 'new', updated_at = now() WHERE id = 'ins_1'",
    /1 legacy task instance of .*: ins_1/,
  ],
];

const text = (findings: readonly Finding[]) =>
  findings.map(({ message, details = [] }) => `${message}: ${details.join(', ')}`).join('\n');

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => assert.fail('it was not refused'),
    ({ message, facts }: SluiceError) => [message, ...(facts.details ?? [])].join('\n'),
  );

test('what the new application has written since a run refuses the next, whichever table it is in', async (t) => {
  const [database, path] = await Promise.all([milestoneSystem(t, { old: false }), milestoneFile(t)]);
  const inputs = fromFile(path);
  await runMilestones(t, database, { inputs });
  const names = Object.entries(milestonesToSections.tables).map(
    ([name, { table }]) => [name, table.replace('v2.', '')] as const,
  );
  await database.query(
    `CREATE SCHEMA staged; ${names.map(([, table]) => `CREATE TABLE staged.${table} AS TABLE v2.${table}`).join('; ')}`,
  );
  const context = {
    database,
    settings: { overwrite: 'off', legacy: 'carry' },
    published: false,
    staged: (name: string) => `staged.${names.find(([each]) => each === name)?.[1]}`,
    live: (name: string) => `v2.${names.find(([each]) => each === name)?.[1]}`,
  } as unknown as ValidationContext;
  assert.deepEqual(await nothingNewer.ask(context), []);

  for (const [sql, said] of WRITTEN) {
    await t.test(`before the publish: ${sql}`, async () => {
      await database.query(`BEGIN; ${sql}`);
      assert.match(text(await nothingNewer.ask(context)), said);
      await database.query('ROLLBACK');
    });
  }
  await t.test('all of it is known before anything is loaded, and lost only on purpose', async () => {
    for (const [sql] of WRITTEN) await database.query(sql);
    const said = await refusal(runMilestones(t, database, { inputs, dryRun: true }));
    for (const one of [
      /2 suppliers of the new tables are newer than the old system’s, or only there, and would be lost\n\s+sup_acme\n\s+sup_new/,
      /1 project of .*\n\s+prj_new/,
      /1 task type of .*\n\s+typ_new/,
      /2 sections of .*\n\s+mil_\w+\n\s+mil_pa2/,
      /1 task of .*\n\s+tsk_sub/,
      /1 project task type of /,
      /1 project task template of .*\n\s+pmt_v_sa/,
      /1 supplier task instance of .*\n\s+sti_13/,
      /1 legacy task instance of .*\n\s+ins_1/,
    ])
      assert.match(said, one);
    const settings = { overwrite: 'on' };
    const { summary } = await runMilestones(t, database, { inputs, settings, publish: false });
    assert.equal(summary.status, 'staged');
  });
});

test('what the views under the old names cannot show would be lost, too, and refuses', async (t) => {
  const database = await milestoneSystem(t);
  await runMilestones(t, database);
  await database.query(
    "UPDATE v2.task_type_sections SET name = 'Renamed', updated_at = now() WHERE id = 'mil_pa2'",
  );
  const renamed = await database.query<{ id: string }>(
    "SELECT id FROM v2.task_type_sections WHERE name = 'Renamed'",
  );
  assert.equal(renamed.length, 1);
  assert.match(
    await refusal(runMilestones(t, database, { dryRun: true })),
    /1 section of the new tables is newer/,
  );
  await database.query(`UPDATE v2.tasks SET parent_task_id = o.id FROM (SELECT min(id) AS id FROM v2.tasks) o
    WHERE tasks.id = (SELECT max(id) FROM v2.tasks)`);
  assert.match(
    await refusal(runMilestones(t, database, { dryRun: true })),
    /1 task of the new tables is newer/,
  );
});
