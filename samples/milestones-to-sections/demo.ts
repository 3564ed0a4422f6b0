import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { makeSqlite, sampleFile } from './sqlite.js';

/** The old system's file, beside what the embedded server keeps. */
const PATH = join('.sluice', 'demo', 'product-manager.db');

const MILESTONES = `SELECT y.name AS "type", m.sequence, m.code, m.name, count(k.id) AS tasks
  FROM milestones m JOIN task_types y ON y.id = m."taskTypeId" LEFT JOIN tasks k ON k."milestoneId" = m.id
  GROUP BY m.id ORDER BY y.name, m.sequence, m.id`;

/** The demo of milestones-to-sections: an old system in SQLite with the awkward cases in it. */
export const demo = {
  about: `The old product manager, an SQLite file (${PATH}): task types with their milestones, and every supplier's tasks.`,
  async prepare(query: (sql: string) => Promise<unknown>): Promise<void> {
    await mkdir(dirname(PATH), { recursive: true });
    await makeSqlite(PATH);
    await query(await sampleFile('new/schema.sql'));
  },
  file: {
    path: PATH,
    settings: ['as_of=2025-06-10'],
    async before() {
      const database = new sqlite.Database(PATH, { readOnly: true });
      try {
        return [{ title: 'Milestones', rows: database.all(MILESTONES) }];
      } finally {
        database.close();
      }
    },
  },
  look: [
    {
      title: 'Sections',
      sql: `SELECT y.name AS "type", n.sequence, n.name AS section, count(k.id)::int AS tasks, CASE WHEN n.is_placeholder THEN 'placeholder' ELSE '' END AS remark
            FROM v2.task_type_sections n JOIN v2.task_types y ON y.id = n.task_type_id LEFT JOIN v2.tasks k ON k.section_id = n.id
            GROUP BY n.id, y.name ORDER BY y.name, n.sequence, n.id COLLATE "C"`,
    },
    {
      title: 'Dashboard at 2025-06-10',
      sql: `SELECT s.name AS supplier, p.name AS project, count(*)::int AS tasks,
              count(*) FILTER (WHERE i.is_applied AND i.status NOT IN ('approved', 'completed', 'not_applicable') AND coalesce(i.actual_due_date, t.due_date) < '2025-06-10')::int AS overdue,
              count(*) FILTER (WHERE i.is_applied AND i.status NOT IN ('approved', 'completed', 'not_applicable') AND coalesce(i.actual_due_date, t.due_date) >= '2025-06-10' AND coalesce(i.actual_due_date, t.due_date) < '2025-06-17')::int AS due_soon
            FROM v2.supplier_task_instances i JOIN v2.project_task_templates t ON t.id = i.project_task_template_id
            JOIN v2.suppliers s ON s.id = i.supplier_id JOIN v2.projects p ON p.id = t.project_id
            GROUP BY s.name, p.name ORDER BY 1, 2`,
    },
    {
      title: 'The old name "project_milestone_tasks", now a view',
      sql: `SELECT id, "milestoneId", "dueDate"::text AS "dueDate", notes IS NOT NULL AS notes FROM project_milestone_tasks ORDER BY id LIMIT 4`,
    },
  ],
};
