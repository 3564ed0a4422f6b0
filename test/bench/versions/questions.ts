import { literal } from '../../../src/db/quote.js';

/** A question of the application's, as it asks it of the old tables and of the new ones. */
export interface Question {
  readonly name: string;
  readonly old: string;
  readonly new: string;
  /** It changes rows: each run is rolled back. */
  readonly writes: boolean;
}

/** Rows that the questions are about, so that both versions are asked for the same. */
export interface Subjects {
  readonly supplier: string;
  readonly project: string;
  readonly template: string;
}

const OPEN = "status NOT IN ('approved', 'completed', 'not_applicable')";
const AT = "timestamp '2025-06-10'";

/**
 * The queries that the migration document names for its performance comparison: the dashboard (overdue, due in the
 * next 7 days, per supplier and project), the task list, bulk updates.
 */
export function questions({ supplier, project, template }: Subjects): Question[] {
  const dashboard = (due: string, open: string) => `count(*) FILTER (WHERE ${due} < ${AT}) AS overdue,
    count(*) FILTER (WHERE ${due} >= ${AT}) AS due_soon FROM ${open} AND ${due} < ${AT} + interval '7 days'`;
  return [
    {
      name: 'dashboard: all suppliers and projects',
      writes: false,
      old: `SELECT i."supplierId", p."projectId", ${dashboard(
        'coalesce(i."actualDueDate", p."dueDate")',
        `supplier_task_instances i JOIN project_milestone_tasks p ON p.id = i."projectMilestoneTaskId" WHERE i."isApplied" AND i.${OPEN}`,
      )} GROUP BY 1, 2`,
      new: `SELECT i.supplier_id, p.project_id, ${dashboard(
        'coalesce(i.actual_due_date, p.due_date)',
        `v2.supplier_task_instances i JOIN v2.project_task_templates p ON p.id = i.project_task_template_id WHERE i.is_applied AND i.${OPEN}`,
      )} GROUP BY 1, 2`,
    },
    {
      name: 'dashboard: one project',
      writes: false,
      old: `SELECT i."supplierId", ${dashboard(
        'coalesce(i."actualDueDate", p."dueDate")',
        `supplier_task_instances i JOIN project_milestone_tasks p ON p.id = i."projectMilestoneTaskId" WHERE p."projectId" = ${literal(project)} AND i."isApplied" AND i.${OPEN}`,
      )} GROUP BY 1`,
      new: `SELECT i.supplier_id, ${dashboard(
        'coalesce(i.actual_due_date, p.due_date)',
        `v2.supplier_task_instances i JOIN v2.project_task_templates p ON p.id = i.project_task_template_id WHERE p.project_id = ${literal(project)} AND i.is_applied AND i.${OPEN}`,
      )} GROUP BY 1`,
    },
    {
      name: 'task list: one supplier',
      writes: false,
      old: `SELECT y.name AS type, m.name AS section, k.name AS task, i.status, coalesce(i."actualDueDate", p."dueDate") AS due, i.notes
        FROM supplier_task_instances i JOIN project_milestone_tasks p ON p.id = i."projectMilestoneTaskId"
        JOIN tasks k ON k.id = p."taskId" JOIN milestones m ON m.id = k."milestoneId" JOIN task_types y ON y.id = m."taskTypeId"
        WHERE i."supplierId" = ${literal(supplier)} ORDER BY y.name, m.sequence, k.sequence`,
      new: `SELECT y.name AS type, n.name AS section, k.name AS task, i.status, coalesce(i.actual_due_date, p.due_date) AS due, i.notes
        FROM v2.supplier_task_instances i JOIN v2.project_task_templates p ON p.id = i.project_task_template_id
        JOIN v2.tasks k ON k.id = p.task_id JOIN v2.task_type_sections n ON n.id = k.section_id JOIN v2.task_types y ON y.id = n.task_type_id
        WHERE i.supplier_id = ${literal(supplier)} ORDER BY y.name, n.sequence, k.sequence`,
    },
    {
      name: 'task list: one project, one task, all suppliers',
      writes: false,
      old: `SELECT s.name, i.status, coalesce(i."actualDueDate", p."dueDate") AS due, i.notes
        FROM supplier_task_instances i JOIN project_milestone_tasks p ON p.id = i."projectMilestoneTaskId" JOIN suppliers s ON s.id = i."supplierId"
        WHERE p.id = ${literal(template)} ORDER BY s.name`,
      new: `SELECT s.name, i.status, coalesce(i.actual_due_date, p.due_date) AS due, i.notes
        FROM v2.supplier_task_instances i JOIN v2.project_task_templates p ON p.id = i.project_task_template_id JOIN v2.suppliers s ON s.id = i.supplier_id
        WHERE p.id = ${literal(template)} ORDER BY s.name`,
    },
    {
      name: 'bulk update: due dates of a project',
      writes: true,
      old: `UPDATE project_milestone_tasks SET "dueDate" = "dueDate" + interval '7 days' WHERE "projectId" = ${literal(project)}`,
      new: `UPDATE v2.project_task_templates SET due_date = due_date + interval '7 days' WHERE project_id = ${literal(project)}`,
    },
    {
      name: 'bulk update: status, one task of all suppliers',
      writes: true,
      old: `UPDATE supplier_task_instances SET status = 'submitted' WHERE "projectMilestoneTaskId" = ${literal(template)} AND status = 'in_progress'`,
      new: `UPDATE v2.supplier_task_instances SET status = 'submitted' WHERE project_task_template_id = ${literal(template)} AND status = 'in_progress'`,
    },
    {
      name: 'bulk update: status, all tasks of one supplier',
      writes: true,
      old: `UPDATE supplier_task_instances SET status = 'in_progress' WHERE "supplierId" = ${literal(supplier)} AND status = 'not_started'`,
      new: `UPDATE v2.supplier_task_instances SET status = 'in_progress' WHERE supplier_id = ${literal(supplier)} AND status = 'not_started'`,
    },
    {
      name: 'bulk update: overrides of one supplier',
      writes: true,
      old: `UPDATE supplier_task_instances SET "actualDueDate" = timestamp '2026-01-01' WHERE "supplierId" = ${literal(supplier)} AND ${OPEN}`,
      new: `UPDATE v2.supplier_task_instances SET actual_due_date = timestamp '2026-01-01' WHERE supplier_id = ${literal(supplier)} AND ${OPEN}`,
    },
  ];
}
