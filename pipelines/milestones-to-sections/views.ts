import type { CheckContext, Compatibility, CompatibilityView } from 'sluice';
import { writeThrough } from 'sluice/sinks';
import { SECTION_OF_CODE } from './words.js';

const moments = { createdAt: 'created_at', updatedAt: 'updated_at' };

/** New columns under their old names: `a AS "b"`. */
const renamed = (columns: Readonly<Record<string, string>>, from = '') =>
  Object.entries(columns)
    .map(([old, column]) => `${from}${column} AS "${old}"`)
    .join(', ');

const NOW = { createdAt: 'CURRENT_TIMESTAMP' };

/** The section name of a milestone's code and name, as `sectionName` has it. */
const standardName = `CASE NEW."code" ${Object.entries(SECTION_OF_CODE)
  .map(([code, name]) => `WHEN '${code}' THEN '${name}'`)
  .join(' ')} ELSE NEW."name" END`;

/** That name, told apart from those of the other sections of the type: `sections` names the table. */
const freeName = (sections: string) => `(SELECT c.name FROM (
    SELECT ${standardName} AS name, 1 AS n UNION ALL SELECT ${standardName} || ' (' || n || ')', n FROM generate_series(2, 1000) n) c
    WHERE NOT EXISTS (SELECT FROM ${sections} x WHERE x.task_type_id = NEW."taskTypeId" AND x.name = c.name AND x.id <> NEW.id)
    ORDER BY c.n LIMIT 1)`;

const TEMPLATE = {
  id: 'id',
  projectId: 'project_id',
  taskId: 'task_id',
  dueDate: 'due_date',
  notes: 'notes',
  responsibleParties: 'responsible_parties',
  ...moments,
};

const INSTANCE = {
  id: 'id',
  supplierId: 'supplier_id',
  projectMilestoneTaskId: 'project_task_template_id',
  status: 'status',
  actualDueDate: 'actual_due_date',
  completedAt: 'completed_at',
  notes: 'notes',
  attachments: 'attachments',
  isApplied: 'is_applied',
  ...moments,
};

/**
 * The old tables' names and columns over the new tables. Most are plain projections, which PostgreSQL writes through by
 * itself; milestones and project milestone tasks have no table of their own any more, and need telling how.
 */
function views({ live, replaced, settings }: CheckContext): CompatibilityView[] {
  if (settings.views === 'off') return [];
  const view = (
    name: string,
    input: string,
    select: string,
    more: Omit<CompatibilityView, 'name' | 'select' | 'replaces'> = {},
  ): CompatibilityView => ({ name, select, replaces: !replaced(input), ...more });
  const plain = (
    name: string,
    table: string,
    columns: Readonly<Record<string, string>>,
    more: Omit<CompatibilityView, 'name' | 'select' | 'replaces'> = {},
  ) =>
    view(name, name, `SELECT ${renamed({ ...columns, ...moments })} FROM ${live(table)}`, {
      defaults: NOW,
      ...more,
    });
  const section = live('sections');
  const template = live('templates');
  const described = { id: 'id', name: 'name', description: 'description' };
  const all = [
    plain('suppliers', 'suppliers', { id: 'id', name: 'name', contactInfo: 'contact_info' }),
    plain('projects', 'projects', described),
    plain('task_types', 'taskTypes', described),
    view(
      'milestones',
      'milestones',
      `SELECT id, task_type_id AS "taskTypeId", milestone_code AS code, coalesce(milestone_name, name) AS name,
  description, sequence, ${renamed(moments)} FROM ${section}`,
      {
        defaults: NOW,
        insert: `INSERT INTO ${section} (id, task_type_id, name, description, sequence, milestone_code, milestone_name, created_at, updated_at)
  VALUES (NEW.id, NEW."taskTypeId", ${freeName(section)}, NEW.description, NEW.sequence, NEW.code, NEW.name, NEW."createdAt", NEW."updatedAt");`,
        update: `${writeThrough(section, {
          id: 'id',
          taskTypeId: 'task_type_id',
          code: 'milestone_code',
          name: 'milestone_name',
          description: 'description',
          sequence: 'sequence',
          ...moments,
        })}
  IF (NEW.code, NEW.name) IS DISTINCT FROM (OLD.code, OLD.name) THEN
    UPDATE ${section} SET name = ${freeName(section)} WHERE id = NEW.id;
  END IF;`,
        remove: `DELETE FROM ${section} WHERE id = OLD.id;`,
      },
    ),
    plain(
      'tasks',
      'tasks',
      {
        id: 'id',
        milestoneId: 'section_id',
        name: 'name',
        description: 'description',
        sequence: 'sequence',
      },
      { defaults: { ...NOW, sequence: '0' } },
    ),
    view(
      'project_milestone_tasks',
      'project_milestone_tasks',
      `SELECT t.id, t.project_id AS "projectId", k.section_id AS "milestoneId", t.task_id AS "taskId", t.due_date AS "dueDate",
  t.notes, t.responsible_parties AS "responsibleParties", ${renamed(moments, 't.')}
FROM ${template} t JOIN ${live('tasks')} k ON k.id = t.task_id`,
      {
        defaults: NOW,
        insert: `INSERT INTO ${template} (id, project_id, task_id, due_date, notes, responsible_parties, created_at, updated_at)
  VALUES (NEW.id, NEW."projectId", NEW."taskId", NEW."dueDate", NEW.notes, NEW."responsibleParties", NEW."createdAt", NEW."updatedAt");
  INSERT INTO ${live('projectTaskTypes')} (id, project_id, task_type_id)
  SELECT 'ptt_' || left(md5(NEW."projectId" || chr(31) || n.task_type_id), 24), NEW."projectId", n.task_type_id
  FROM ${live('tasks')} k JOIN ${section} n ON n.id = k.section_id WHERE k.id = NEW."taskId"
  ON CONFLICT (project_id, task_type_id) DO NOTHING;`,
        update: writeThrough(template, TEMPLATE),
        remove: `DELETE FROM ${template} WHERE id = OLD.id;`,
      },
    ),
    plain('supplier_task_instances', 'instances', INSTANCE, {
      defaults: { ...NOW, status: "'not_started'", isApplied: 'true' },
      update: writeThrough(live('instances'), INSTANCE),
    }),
  ];
  if (settings.legacy === 'list') return all;
  return [
    ...all,
    plain('task_templates', 'legacyTemplates', {
      ...described,
      projectId: 'project_id',
      dueDate: 'due_date',
    }),
    plain('task_instances', 'legacyInstances', {
      id: 'id',
      supplierId: 'supplier_id',
      taskTemplateId: 'task_template_id',
      status: 'status',
      dueDate: 'due_date',
      notes: 'notes',
    }),
  ];
}

/** The old application goes on under its own names until its last endpoint is switched. */
export const compatibility: Compatibility = { versions: { old: 'v1', new: 'v2' }, views };
