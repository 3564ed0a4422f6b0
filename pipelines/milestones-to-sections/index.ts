import {
  type AnyRow,
  flow,
  leaveBehind,
  named,
  nothingLeftBehind,
  pipeline,
  type Row,
  type Stage,
} from 'sluice';
import { report } from 'sluice/sinks';
import { distinct, lookup } from 'sluice/transforms';
import { assessment } from './assess.js';
import { lineage } from './lineage.js';
import { nothingNewer, nothingNewerYet } from './newer.js';
import {
  dashboardEqual,
  dueDates,
  history,
  instancesStillThere,
  preserved,
  relationships,
  statuses,
} from './questions.js';
import {
  instanceRow,
  legacyInstanceRow,
  legacyTemplateRow,
  projectRow,
  projectTaskTypeRow,
  supplierRow,
} from './rows.js';
import { type Named, sectionRow, toSections } from './sections.js';
import { distinctValues, OLD, oldTable } from './source.js';
import { tables } from './tables.js';
import { likeTheOldTables } from './view-check.js';
import { compatibility } from './views.js';

/** How the sections came about, for the report. */
const sections = report<Named>('sections', () => {
  const total = { sections: 0, placeholders: 0, renamed: 0 };
  return {
    columns: ['taskTypeId', 'sequence', 'code', 'name', 'section'],
    each(row) {
      total.sections += 1;
      if (row.has_tasks === null) total.placeholders += 1;
      if (row.name !== row.section) total.renamed += 1;
    },
    summary: () => [
      `${total.sections} milestones become sections: ${total.renamed} under another name, ${total.placeholders} without tasks (placeholders)`,
    ],
  };
});

/** Legacy rows that stay behind, each by name: nothing of the old system goes without a word. */
const left = (name: string, columns: readonly ('id' | 'name' | 'status' | 'notes' | 'dueDate')[]) =>
  report<Row>(name, () => ({ columns, keep: 100_000 }));

/** Counts every row as skipped for `reason`, and passes it on to be listed. */
function listed<R extends AnyRow = Row>(reason: string): Stage<R> {
  return named(reason, async function* (rows, run) {
    for await (const chunk of rows) {
      run.keep(reason, chunk.length);
      yield chunk;
    }
  });
}

export default pipeline({
  name: 'milestones-to-sections',
  summary: 'Milestones become sections of their task types; every task of every supplier goes with them',
  inputs: {
    suppliers: oldTable('suppliers'),
    projects: oldTable('projects'),
    task_types: oldTable('task_types'),
    milestones: oldTable('milestones'),
    tasks: oldTable('tasks'),
    project_milestone_tasks: oldTable('project_milestone_tasks'),
    supplier_task_instances: oldTable('supplier_task_instances'),
    task_templates: oldTable('task_templates'),
    task_instances: oldTable('task_instances'),
  },
  tables,
  settings: {
    as_of: { summary: 'the date at which the dashboards are compared, such as 2025-06-10', default: 'today' },
    legacy: {
      summary:
        'legacy task templates and instances: carry them to tables of their own, or list them as left behind',
      default: 'carry',
      values: ['carry', 'list'],
    },
    views: {
      summary: 'put views with the old names and columns over the new tables, for the application as it was',
      default: 'on',
      values: ['on', 'off'],
    },
    leave_behind: leaveBehind,
    overwrite: {
      summary: 'lose what was written to the new tables since an earlier run',
      default: 'off',
      values: ['on', 'off'],
    },
  },
  flows: ({ inputs, tables, settings }) => {
    const from = lineage(inputs);
    return [
      flow(inputs.suppliers).through(supplierRow).into(tables.suppliers),
      flow(inputs.projects).through(projectRow).into(tables.projects),
      flow(inputs.task_types).through(projectRow).into(tables.taskTypes),
      flow(inputs.milestones)
        .through(...from.toMilestones)
        .through(
          lookup({
            ...{ from: distinctValues(from.tasks, 'section_id'), key: 'section_id', on: 'id' },
            ...{ take: { has_tasks: 'section_id' }, missing: 'null' },
          }),
          toSections,
        )
        .fork(
          (rows) => rows.through(sectionRow).into(tables.sections),
          (rows) => rows.into(sections),
        ),
      flow(inputs.tasks)
        .through(...from.toTasks)
        .into(tables.tasks),
      flow(inputs.project_milestone_tasks)
        .through(...from.ofProject, ...from.ofTask)
        .through(...from.toTemplates)
        .fork(
          (rows) => rows.into(tables.templates),
          (rows) =>
            rows
              .through(
                distinct({ by: ['project_id', 'task_type_id'], name: 'project task types' }),
                projectTaskTypeRow,
              )
              .into(tables.projectTaskTypes),
        ),
      flow(inputs.supplier_task_instances)
        .through(...from.ofSupplier, ...from.ofTemplate)
        .through(instanceRow)
        .fork(
          (rows) => rows.into(tables.instances),
          (rows) => rows.into(tables.before),
        ),
      ...(settings.legacy === 'carry'
        ? [
            flow(inputs.task_templates).through(legacyTemplateRow).into(tables.legacyTemplates),
            flow(inputs.task_instances).through(legacyInstanceRow).into(tables.legacyInstances),
          ]
        : [
            flow(inputs.task_templates)
              .through(listed('legacy_not_carried'))
              .into(left('legacy task templates not carried', ['id', 'name', 'dueDate'])),
            flow(inputs.task_instances)
              .through(listed('legacy_not_carried'))
              .into(left('legacy task instances not carried', ['id', 'status', 'dueDate', 'notes'])),
          ]),
    ];
  },
  // What is written to the old tables while they are read would be lost; a file is a copy of one moment anyway.
  guards: ({ replaced }) => Object.keys(OLD).filter((table) => !replaced(table)),
  compatibility,
  assess: assessment,
  checks: [nothingLeftBehind(Object.keys(OLD)), nothingNewerYet, likeTheOldTables],
  validations: [
    ...preserved,
    instancesStillThere,
    dueDates,
    relationships,
    history,
    statuses,
    dashboardEqual,
    nothingNewer,
  ],
});
