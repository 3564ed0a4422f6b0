import {
  again,
  type Finding,
  nothingLost,
  noun,
  offenders,
  type Validation,
  type ValidationContext,
  validation,
} from 'sluice';
import { DONE, STATUSES } from './words.js';

const list = (words: readonly string[]) => words.map((word) => `'${word}'`).join(', ');

/** How many offenders a query gives at most; the count above them says when there are more. */
const LIMIT = 1000;

/**
 * SQL that tells an instance `i` that is as it was migrated from one that the application has touched since, which
 * says nothing of the migration.
 */
const untouched = ({ published }: ValidationContext) => (published ? 'i.updated_at = b.updated_at' : 'true');

/** Of a published batch it is no way out: what is live stays as it is. */
const AGAIN = again({}, { lead: 'fix the source (live is as it was), then' });

/** The offenders of a query over all instances, each named by its id and `is` … `was`. */
async function differences(
  context: ValidationContext,
  sql: string,
  what: string,
  severity: Finding['severity'] = 'error',
): Promise<Finding[]> {
  const rows = await context.database.query(`${sql} ORDER BY 1 LIMIT ${LIMIT}`);
  return offenders(
    rows,
    (n) => `${n === LIMIT ? `${LIMIT} or more` : n} ${what}`,
    (row) =>
      'was' in row ? `${row.id}: was ${row.was ?? 'nothing'}, is ${row.is ?? 'nothing'}` : String(row.id),
    { severity, ...(context.published ? {} : { next: AGAIN }) },
  );
}

/** What is carried over row by row, with the pipeline's table that it goes to. */
const CARRIED = [
  ['supplier_task_instances', 'instances', 'supplier task instance'],
  ['project_milestone_tasks', 'templates', 'project milestone task'],
  ['tasks', 'tasks', 'task'],
  ['milestones', 'sections', 'milestone'],
  ['task_types', 'taskTypes', 'task type'],
  ['projects', 'projects', 'project'],
  ['suppliers', 'suppliers', 'supplier'],
] as const;

/** Every row of the old system is there, once, and no other; asked of the old system itself. */
export const preserved: readonly Validation[] = CARRIED.map(([input, table, one]) =>
  nothingLost({
    name: `all-${noun(2, one).replaceAll(' ', '-')}-preserved`,
    summary: `every ${one} of the old system is there, and no other`,
    one,
    input,
    key: 'id',
    table,
  }),
);

/** Of what was read nothing is lost; later, when the old system may be gone, instances may go by right. */
export const instancesStillThere: Validation = validation(
  'no-supplier-task-instance-lost',
  'every supplier task instance that was read is there',
  (context) =>
    differences(
      context,
      `SELECT b.instance_id AS id FROM ${context.staged('before')} b
       WHERE NOT EXISTS (SELECT FROM ${context.staged('instances')} i WHERE i.id = b.instance_id)`,
      `supplier task instances are ${context.published ? 'not there any more: deleted since the publish, or lost' : 'lost'}`,
      context.published ? 'warning' : 'error',
    ),
);

/** The date that counts for a supplier is the override or else the project's, exactly as before. */
export const dueDates: Validation = validation(
  'due-date-logic-maintained',
  'the effective due date of every instance is what it was, overrides included',
  (context) => {
    const { staged } = context;
    return differences(
      context,
      `SELECT b.instance_id AS id,
              concat_ws(' ', b.effective_due_date::text, CASE WHEN b.overridden THEN '(override)' END) AS was,
              concat_ws(' ', coalesce(i.actual_due_date, t.due_date)::text, CASE WHEN i.actual_due_date IS NOT NULL THEN '(override)' END) AS is
       FROM ${staged('before')} b
       JOIN ${staged('instances')} i ON i.id = b.instance_id
       LEFT JOIN ${staged('templates')} t ON t.id = i.project_task_template_id
       WHERE ${untouched(context)}${context.published ? ' AND t.updated_at <= b.updated_at' : ''}
         AND (coalesce(i.actual_due_date, t.due_date) IS DISTINCT FROM b.effective_due_date
              OR (i.actual_due_date IS NOT NULL) <> b.overridden)`,
      'instances would be due on another date than before',
    );
  },
);

/** Every instance leads to its supplier, its project, its task, section and type. */
export const relationships: Validation = validation(
  'relationships-intact',
  'every instance leads to the supplier and project it had, and to a task, a section and a type',
  (context) => {
    const { staged } = context;
    return differences(
      context,
      `SELECT b.instance_id AS id,
              concat_ws(' ', b.supplier_id, b.project_id, b.project_milestone_task_id) AS was,
              concat_ws(' ', s.id, p.id, t.id, CASE WHEN k.id IS NULL THEN '(no task)' WHEN n.id IS NULL THEN '(no section)'
                WHEN y.id IS NULL THEN '(no task type)' WHEN x.id IS NULL THEN '(type not in the project)' END) AS is
       FROM ${staged('before')} b
       JOIN ${staged('instances')} i ON i.id = b.instance_id
       LEFT JOIN ${staged('suppliers')} s ON s.id = i.supplier_id
       LEFT JOIN ${staged('templates')} t ON t.id = i.project_task_template_id
       LEFT JOIN ${staged('projects')} p ON p.id = t.project_id
       LEFT JOIN ${staged('tasks')} k ON k.id = t.task_id
       LEFT JOIN ${staged('sections')} n ON n.id = k.section_id
       LEFT JOIN ${staged('taskTypes')} y ON y.id = n.task_type_id
       LEFT JOIN ${staged('projectTaskTypes')} x ON x.project_id = t.project_id AND x.task_type_id = y.id
       WHERE ${untouched(context)}
         AND ((s.id, p.id, t.id) IS DISTINCT FROM (b.supplier_id, b.project_id, b.project_milestone_task_id) OR x.id IS NULL)`,
      'instances would lead elsewhere than before',
    );
  },
);

/** Texts are compared by their md5: what was written years ago must be there to the byte. */
export const history: Validation = validation(
  'notes-and-attachments-intact',
  'notes and attachments of every instance are what they were, to the byte',
  (context) => {
    const { staged } = context;
    return differences(
      context,
      `SELECT b.instance_id AS id FROM ${staged('before')} b JOIN ${staged('instances')} i ON i.id = b.instance_id
       WHERE ${untouched(context)} AND (md5(i.notes) IS DISTINCT FROM b.notes_md5
          OR md5(i.attachments) IS DISTINCT FROM b.attachments_md5)`,
      'instances would have other notes or attachments than before',
    );
  },
);

/** Statuses are the old ones, and known, so that every transition from them goes on. */
export const statuses: Validation = validation(
  'status-values-and-transitions',
  'status, completion and whether it applies are what they were, and every status is one that the application moves on from',
  (context) => {
    const { staged } = context;
    return differences(
      context,
      `SELECT b.instance_id AS id,
              concat_ws(' ', b.status, b.completed_at::text, CASE WHEN NOT b.is_applied THEN '(not applied)' END) AS was,
              concat_ws(' ', i.status, i.completed_at::text, CASE WHEN NOT i.is_applied THEN '(not applied)' END) AS is
       FROM ${staged('before')} b JOIN ${staged('instances')} i ON i.id = b.instance_id
       WHERE ${untouched(context)} AND (i.status, i.completed_at, i.is_applied) IS DISTINCT FROM (b.status, b.completed_at, b.is_applied)
          OR i.status NOT IN (${list(STATUSES)})`,
      'instances would have another status than before, or one that is not known',
    );
  },
);

/** SQL: the dashboard over rows with supplier, project, due, status and is_applied, at the given date. */
function dashboard(rows: string, at: string): string {
  return `SELECT supplier, project, count(*) AS tasks,
      count(*) FILTER (WHERE is_applied AND status NOT IN (${list(DONE)}) AND due < ${at}) AS overdue,
      count(*) FILTER (WHERE is_applied AND status NOT IN (${list(DONE)}) AND due >= ${at} AND due < ${at} + interval '7 days') AS due_soon,
      count(*) FILTER (WHERE status IN (${list(DONE)})) AS done
    FROM (${rows}) rows GROUP BY supplier, project`;
}

/** The dashboard's numbers, supplier by supplier and project by project, at `--set as_of=DATE` (today). */
export const dashboardEqual: Validation = validation(
  'dashboard-equal',
  'overdue, due in the next 7 days and done are what they were, per supplier and project',
  async (context) => {
    const { staged, settings, database } = context;
    const [{ at } = { at: '' }] = await database.query<{ at: string }>(
      `SELECT (CASE WHEN $1 = 'today' THEN (now() AT TIME ZONE 'UTC')::date ELSE nullif($1, 'today')::date END)::text AS at`,
      [settings.as_of],
    );
    const date = `timestamp '${at}'`;
    const pair = `FROM ${staged('before')} b JOIN ${staged('instances')} i ON i.id = b.instance_id
       JOIN ${staged('templates')} t ON t.id = i.project_task_template_id WHERE ${untouched(context)}`;
    const before = dashboard(
      `SELECT b.supplier_id AS supplier, b.project_id AS project, b.effective_due_date AS due, b.status, b.is_applied
       ${context.published ? `${pair} AND t.updated_at <= b.updated_at` : `FROM ${staged('before')} b`}`,
      date,
    );
    const after = dashboard(
      `SELECT i.supplier_id AS supplier, t.project_id AS project, coalesce(i.actual_due_date, t.due_date) AS due, i.status, i.is_applied
       ${context.published ? `${pair} AND t.updated_at <= b.updated_at` : `FROM ${staged('instances')} i JOIN ${staged('templates')} t ON t.id = i.project_task_template_id`}`,
      date,
    );
    const rows = await database.query(
      `SELECT supplier, project, to_jsonb(b) - 'supplier' - 'project' AS was, to_jsonb(a) - 'supplier' - 'project' AS is
       FROM (${before}) b FULL JOIN (${after}) a USING (supplier, project)
       WHERE to_jsonb(a) IS DISTINCT FROM to_jsonb(b) ORDER BY 1, 2 LIMIT ${LIMIT}`,
    );
    return offenders(
      rows,
      (n) => `the dashboard of ${at} would show other numbers for ${n} suppliers' projects`,
      (row) =>
        `supplier ${row.supplier}, project ${row.project}: was ${JSON.stringify(row.was)}, is ${JSON.stringify(row.is)}`,
    );
  },
);
