import { replace } from 'sluice';

/** The schema of the new tables: old and new share names, and both are in use for a while. */
const NEW_SCHEMA = 'v2';

/** The new application makes its tables; the pipeline fills them. */
const whenMissing =
  'make the new tables first: prisma db push, or psql -f samples/milestones-to-sections/new/schema.sql';

const at = (table: string) => `${NEW_SCHEMA}.${table}`;

/** The new tables, each with the columns that the pipeline fills: all of them. */
export const tables = {
  suppliers: replace(at('suppliers'), {
    whenMissing,
    columns: ['id', 'name', 'contact_info', 'created_at', 'updated_at'],
  }),
  projects: replace(at('projects'), {
    whenMissing,
    columns: ['id', 'name', 'description', 'created_at', 'updated_at'],
  }),
  taskTypes: replace(at('task_types'), {
    whenMissing,
    columns: ['id', 'name', 'description', 'created_at', 'updated_at'],
  }),
  sections: replace(at('task_type_sections'), {
    whenMissing,
    columns: [
      'id',
      'task_type_id',
      'name',
      'description',
      'sequence',
      'is_placeholder',
      'milestone_code',
      'milestone_name',
      'created_at',
      'updated_at',
    ],
  }),
  tasks: replace(at('tasks'), {
    whenMissing,
    columns: [
      'id',
      'section_id',
      'parent_task_id',
      'name',
      'description',
      'sequence',
      'created_at',
      'updated_at',
    ],
  }),
  projectTaskTypes: replace(at('project_task_types'), {
    whenMissing,
    columns: ['id', 'project_id', 'task_type_id'],
  }),
  templates: replace(at('project_task_templates'), {
    whenMissing,
    columns: [
      'id',
      'project_id',
      'task_id',
      'due_date',
      'notes',
      'responsible_parties',
      'created_at',
      'updated_at',
    ],
  }),
  instances: replace(at('supplier_task_instances'), {
    whenMissing,
    columns: [
      'id',
      'supplier_id',
      'project_task_template_id',
      'status',
      'actual_due_date',
      'completed_at',
      'notes',
      'attachments',
      'is_applied',
      'created_at',
      'updated_at',
    ],
  }),
  legacyTemplates: replace(at('legacy_task_templates'), {
    whenMissing,
    columns: ['id', 'project_id', 'name', 'description', 'due_date', 'created_at', 'updated_at'],
  }),
  legacyInstances: replace(at('legacy_task_instances'), {
    whenMissing,
    columns: [
      'id',
      'supplier_id',
      'task_template_id',
      'status',
      'due_date',
      'notes',
      'created_at',
      'updated_at',
    ],
  }),
  before: replace(at('migration_before'), {
    whenMissing,
    columns: [
      'instance_id',
      'supplier_id',
      'project_id',
      'project_milestone_task_id',
      'status',
      'effective_due_date',
      'overridden',
      'is_applied',
      'completed_at',
      'notes_md5',
      'attachments_md5',
      'updated_at',
    ],
  }),
};
