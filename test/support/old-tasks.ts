import type { TestContext } from 'node:test';
import {
  type AssessmentDeclaration,
  allowed,
  type BackupDeclaration,
  figures,
  inOrder,
  orphans,
  required,
} from '../../src/core/assessment.js';
import { flow } from '../../src/core/flow.js';
import { type Pipeline, pipeline, type Validation, validation } from '../../src/core/pipeline.js';
import { replace } from '../../src/core/target.js';
import { sqlite } from '../../src/sources/sqlite/index.js';
import { type TestDatabase, testDatabase } from './database.js';
import { sqliteFile } from './sqlite.js';

/** Suppliers and their tasks, as Prisma lays them out; tasks 1 to 4, of which 3 and 4 are not in order. */
const OLD_TASKS = `
  CREATE TABLE suppliers (id TEXT PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE tasks (id INTEGER PRIMARY KEY, "supplierId" TEXT REFERENCES suppliers (id), status TEXT, "createdAt" DATETIME NOT NULL, "completedAt" DATETIME, "isApplied" BOOLEAN);
  INSERT INTO suppliers VALUES ('s1', 'One'), ('s2', '<script>alert("two")</script>');
  INSERT INTO tasks VALUES (1, 's1', 'pending', 1709284500000, NULL, 0), (2, 's2', 'completed', '2024-03-01T09:00:00.000Z', 1709370900000, 1);`;

/** What is wrong with task 3 (no such supplier, no such status) and task 4 (completed before it was made). */
export const WRONG_TASKS = `PRAGMA foreign_keys = OFF;
  INSERT INTO tasks VALUES (3, 'gone', 'Done', 1709284500000, NULL, 'yes'), (4, 's1', 'completed', '2024-03-02 09:00:00', 1709284500000, 1);`;

/** The old system as a file. */
export const oldTasks = (t: TestContext, more = '') => sqliteFile(t, OLD_TASKS + more);

/** A database with the table that the pipeline publishes. */
export async function tasksDatabase(t: TestContext): Promise<TestDatabase> {
  const database = await testDatabase(t);
  await database.query('CREATE TABLE new_tasks (id integer PRIMARY KEY, status text, applied boolean)');
  return database;
}

const assessment: AssessmentDeclaration = {
  questions: [
    orphans({ table: 'tasks', column: 'supplierId', references: 'suppliers', next: 'add the supplier' }),
    ...required({ table: 'tasks', columns: ['status'] }),
    allowed({ table: 'tasks', column: 'status', values: ['pending', 'completed'] }),
    inOrder({ table: 'tasks', earlier: 'createdAt', later: 'completedAt', severity: 'warning' }),
    figures('Tasks per supplier', 'who has how many', {
      query:
        'SELECT s.name AS supplier, count(*) AS tasks FROM suppliers s JOIN tasks t ON t."supplierId" = s.id GROUP BY s.name ORDER BY 1',
      chart: { label: 'supplier', value: 'tasks' },
    }),
  ],
};

/** As many tasks as the old system has: asked of the old system itself. */
const none: Validation = validation(
  'as-many-tasks',
  'as many tasks as before',
  async ({ database, staged, old }) => {
    const [before] = await (await old()).query('SELECT count(*) AS n FROM tasks');
    const [after] = await database.query<{ n: string }>(`SELECT count(*)::text AS n FROM ${staged('tasks')}`);
    return before?.n === after?.n
      ? []
      : [{ severity: 'error', message: `there were ${before?.n}, and there are ${after?.n}` }];
  },
);

/** A pipeline out of the SQLite file at `path` into `new_tasks`. */
export function tasksPipeline(
  path: string | undefined,
  more: { readonly assess?: AssessmentDeclaration; readonly backup?: BackupDeclaration } = {
    assess: assessment,
  },
): Pipeline {
  return pipeline({
    name: 'tasks',
    summary: 'Tasks.',
    inputs: {
      tasks: sqlite<Record<'id' | 'status' | 'applied', string | null>>(path, {
        query: 'SELECT id, status, "isApplied" AS applied FROM tasks ORDER BY id',
        name: 'tasks',
        columns: ['id', 'status', 'applied'],
      }),
    },
    tables: { tasks: replace('new_tasks', { columns: ['id', 'status', 'applied'] }) },
    validations: [none],
    ...more,
    flows: ({ inputs, tables }) => [flow(inputs.tasks).into(tables.tasks)],
  });
}
