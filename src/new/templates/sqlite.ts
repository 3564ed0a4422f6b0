import { common, type Files, text, type Wanted } from '../project.js';
import { ownSqlite } from '../sqlite-sample.js';
import { PIPELINE, SCRIPTS, STEPS } from './with-pipeline.js';

/** The SQLite file of an application. */
export async function sqliteProject(wanted: Wanted): Promise<Files> {
  const { name } = wanted;
  return {
    ...common(
      wanted,
      SCRIPTS,
      `# ${name}\n\nReads the table \`tasks\` of the SQLite file \`data/app.db\` into PostgreSQL.\n\n${STEPS('')}`,
    ),
    'data/app.db': await ownSqlite(),
    'table.ts': `/** The table that the rows end in; a run makes it where it is missing. */
export const createTable = \`CREATE TABLE tasks (
  id bigint PRIMARY KEY,
  title text NOT NULL,
  done boolean NOT NULL,
  created_at timestamptz NOT NULL
)\`;
`,
    'pipeline.ts': `import { flow, pipeline, replace, sqlite } from 'sluice';
import { map } from 'sluice/transforms';
import { createTable } from './table.js';

/** Values are text, as PostgreSQL would write them, or null. */
const tasks = sqlite('data/app.db', { table: 'tasks', columns: ['id', 'title', 'done', 'created_at'] });

export default pipeline({
  name: ${text(name)},
  summary: 'The tasks of the application',
  inputs: { tasks },
  tables: { tasks: replace('tasks', { columns: ['id', 'title', 'done', 'created_at'] }) },
  creates: () => ({ tasks: { create: createTable } }),
  flows: ({ inputs, tables }) => [
    flow(inputs.tasks)
      .through(map((row) => ({ ...row, title: String(row.title).trim() })))
      .into(tables.tasks),
  ],
});
`,
    'test/pipeline.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPipeline } from 'sluice/testing';
import pipeline from '${PIPELINE}';

test('tasks are read with their booleans and moments', async () => {
  const tested = await testPipeline(pipeline);
  assert.deepEqual(tested.tables.tasks, [
    { id: '1', title: 'write', done: true, created_at: '2025-01-03 09:00:00+00' },
    { id: '2', title: 'test', done: false, created_at: '2025-01-04 10:30:00+00' },
  ]);
  assert.equal((await tested.rollback()).whole, true);
});
`,
  };
}
