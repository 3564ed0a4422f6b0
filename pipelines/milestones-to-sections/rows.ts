import { createHash } from 'node:crypto';
import { map, RowError } from 'sluice/transforms';
import type { OldRow } from './source.js';
import { boolean, integer, moment, required, someText, text, timestamp } from './values.js';
import { STATUSES } from './words.js';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** The new rows of tables that change their columns' names only. */
export const supplierRow = map(
  (row: OldRow<'suppliers'>) => ({
    id: someText(row.id, 'id'),
    name: someText(row.name, 'name'),
    contact_info: someText(row.contactInfo, 'contactInfo'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to suppliers',
);

/** Also for task types, which have the same columns. */
export const projectRow = map(
  (row: OldRow<'projects'>) => ({
    id: someText(row.id, 'id'),
    name: someText(row.name, 'name'),
    description: text(row.description, 'description'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to new names',
);

export const taskRow = map(
  (row: OldRow<'tasks'>) => ({
    id: someText(row.id, 'id'),
    section_id: row.milestoneId,
    parent_task_id: null,
    name: someText(row.name, 'name'),
    description: text(row.description, 'description'),
    sequence: integer(row.sequence, 'sequence'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to tasks',
);

/** A project milestone task with the milestone of its task, and the type of that. */
export type Placed = OldRow<'project_milestone_tasks'> & {
  readonly task_milestone: unknown;
  readonly task_type: unknown;
};

/** The section that a template belongs to is its task's: a row that names another milestone contradicts itself. */
export const throughItsTask = map((row: Placed) => {
  if (row.task_milestone === row.milestoneId) return row;
  throw new RowError(
    'task_of_another_milestone',
    `task ${row.taskId} belongs to milestone ${row.task_milestone}, and the row says ${row.milestoneId}`,
    { column: 'milestoneId', value: row.milestoneId, expected: String(row.task_milestone) },
  );
}, 'through its task');

/** The id is the old one, so that instances and the old application's links stay valid; beside it the type of the task. */
export const templateRow = map(
  (row: Placed) => ({
    id: someText(row.id, 'id'),
    project_id: row.projectId,
    task_id: row.taskId,
    task_type_id: row.task_type,
    due_date: timestamp(row.dueDate, 'dueDate'),
    notes: text(row.notes, 'notes'),
    responsible_parties: text(row.responsibleParties, 'responsibleParties'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to templates',
);

/** The id is made of the two that it joins, so it is the same every time; views.ts has the same in SQL. */
export const projectTaskTypeRow = map(
  ({ project_id, task_type_id }: { readonly project_id: unknown; readonly task_type_id: unknown }) => ({
    id: `ptt_${md5(`${project_id}\x1f${task_type_id}`).slice(0, 24)}`,
    project_id,
    task_type_id,
  }),
  'to project task types',
);

/** An instance with what its project milestone task said. */
export type Instance = OldRow<'supplier_task_instances'> & {
  readonly project: unknown;
  readonly project_due: unknown;
};

/** The instance as the new table has it, and beside it what `migration_before` keeps of it. */
export const instanceRow = map((row: Instance) => {
  const status = required(row.status, 'status');
  if (!STATUSES.some((known) => known === status))
    throw new RowError('invalid_status', `the status "${status}" is not known`, {
      column: 'status',
      value: status,
      expected: STATUSES.join(', '),
    });
  const override = timestamp(row.actualDueDate, 'actualDueDate');
  return {
    id: row.id,
    supplier_id: row.supplierId,
    project_task_template_id: row.projectMilestoneTaskId,
    status,
    actual_due_date: override,
    completed_at: timestamp(row.completedAt, 'completedAt'),
    notes: row.notes,
    attachments: row.attachments,
    is_applied: boolean(row.isApplied, 'isApplied'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
    instance_id: row.id,
    project_id: row.project,
    project_milestone_task_id: row.projectMilestoneTaskId,
    effective_due_date: override ?? timestamp(row.project_due, 'dueDate'),
    overridden: override === null ? 'false' : 'true',
    notes_md5: row.notes === null ? null : md5(row.notes),
    attachments_md5: row.attachments === null ? null : md5(row.attachments),
  };
}, 'to instances');

export const legacyTemplateRow = map(
  (row: OldRow<'task_templates'>) => ({
    id: row.id,
    project_id: row.projectId,
    name: row.name,
    description: row.description,
    due_date: timestamp(row.dueDate, 'dueDate'),
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to legacy templates',
);

export const legacyInstanceRow = map(
  (row: OldRow<'task_instances'>) => ({
    id: row.id,
    supplier_id: row.supplierId,
    task_template_id: row.taskTemplateId,
    status: row.status,
    due_date: timestamp(row.dueDate, 'dueDate'),
    notes: row.notes,
    created_at: moment(row.createdAt, 'createdAt'),
    updated_at: moment(row.updatedAt, 'updatedAt'),
  }),
  'to legacy instances',
);
