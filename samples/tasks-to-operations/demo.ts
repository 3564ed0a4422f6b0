import { readFile } from 'node:fs/promises';
import { FILES } from './generate.js';

/** The demo of tasks-to-operations: a machine shop's tasks, none of the new tables there yet. */
export const demo = {
  about: 'The old machine shop: tasks, timers and costs; the new tables are missing, and the run makes them.',
  async prepare(query: (sql: string) => Promise<unknown>): Promise<void> {
    for (const file of ['schema.sql', 'data.sql']) await query(await readFile(new URL(file, FILES), 'utf8'));
  },
  look: [
    {
      title: 'Timers by what they are on',
      sql: `SELECT c.app_label || '.' || c.model AS content_type, count(*)::int AS timers, count(DISTINCT m.object_id)::int AS objects
            FROM tasks_timer m JOIN django_content_type c ON c.id = m.content_type_id GROUP BY 1 ORDER BY 1`,
    },
    {
      title: 'Tasks and their costs',
      when: 'before' as const,
      sql: `SELECT t.key, t.name, c.total_cost || ' ' || c.currency AS cost
            FROM machining_task t LEFT JOIN machining_jobcostagg c ON c.task_id = t.key ORDER BY t.key COLLATE "C"`,
    },
    {
      title: 'Parts, their operations and costs',
      when: 'after' as const,
      sql: `SELECT p.id, p.key AS part, o.key AS operation, c.total_cost || ' ' || c.currency AS cost
            FROM tasks_part p JOIN tasks_operation o ON o.part_id = p.id
            LEFT JOIN tasks_partcostagg c ON c.part_id = p.id ORDER BY p.id`,
    },
  ],
};
