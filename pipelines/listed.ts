/** What `sluice list` shows of a pipeline. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
  /** The names of its inputs. */
  readonly inputs: readonly string[];
  /** Its tables and how each is published. */
  readonly tables: readonly string[];
  /** Its settings and their defaults. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * The pipelines that come with Sluice, in the order in which they are shown. It says again what the pipelines say of
 * themselves, so that a list does not have to load them and all that they import; a test compares it with them.
 */
export const LISTED: readonly Listed[] = [
  {
    name: 'lot-consolidation',
    summary: 'One LOT per line, model and month; its serials renumbered 001, 002, …',
    inputs: ['serials'],
    tables: ['lots (replace)', 'serials (replace)'],
    settings: {
      overflow: 'refuse',
      leave_behind: '',
      backup: 'on',
    },
  },
  {
    name: 'recipe-snapshots',
    summary: 'A snapshot of its recipe for every production run that has none, marked as backfilled',
    inputs: ['recipes', 'ingredients', 'recipe_ingredients', 'production_runs'],
    tables: ['recipe_snapshots (append)', 'production_runs (patch)'],
    settings: {},
  },
  {
    name: 'tasks-to-operations',
    summary: 'Every machining task becomes a part with one operation; timers and costs follow',
    inputs: ['tasks', 'timers', 'contentType', 'jobCosts', 'jobUserCosts', 'recomputed'],
    tables: [
      'django_content_type (append)',
      'tasks_part (append)',
      'tasks_operation (append)',
      'tasks_timer (patch)',
      'tasks_partcostagg (append)',
      'tasks_partcostagguser (append)',
    ],
    settings: {
      orphan_timers: 'refuse',
      recompute: 'report',
      tolerance: '0.01',
      timezone: 'Europe/Istanbul',
      leave_behind: '',
      workday: '07:30-17:00',
    },
  },
  {
    name: 'okvet-import',
    summary: 'Clients, pets and their records out of the files of OkVet or another practice system',
    inputs: ['clients', 'pets', 'medical_records', 'vaccinations', 'appointments', 'invoices'],
    tables: [
      'clients (merge)',
      'pets (merge)',
      'medical_records (merge)',
      'vaccinations (merge)',
      'appointments (merge)',
      'invoices (merge)',
    ],
    settings: {
      system: 'okvet',
    },
  },
  {
    name: 'milestones-to-sections',
    summary: 'Milestones become sections of their task types; every task of every supplier goes with them',
    inputs: [
      'suppliers',
      'projects',
      'task_types',
      'milestones',
      'tasks',
      'project_milestone_tasks',
      'supplier_task_instances',
      'task_templates',
      'task_instances',
    ],
    tables: [
      'v2.suppliers (replace)',
      'v2.projects (replace)',
      'v2.task_types (replace)',
      'v2.task_type_sections (replace)',
      'v2.tasks (replace)',
      'v2.project_task_types (replace)',
      'v2.project_task_templates (replace)',
      'v2.supplier_task_instances (replace)',
      'v2.legacy_task_templates (replace)',
      'v2.legacy_task_instances (replace)',
      'v2.migration_before (replace)',
    ],
    settings: {
      as_of: 'today',
      legacy: 'carry',
      views: 'on',
      leave_behind: '',
      overwrite: 'off',
    },
  },
];
