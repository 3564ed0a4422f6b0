import { common, type Files, text, type Wanted } from '../project.js';
import { PIPELINE, SCRIPTS, STEPS } from './with-pipeline.js';

/** Tables of an old system in PostgreSQL, by a query. */
export function queryProject(wanted: Wanted): Files {
  const { name } = wanted;
  return {
    ...common(
      wanted,
      SCRIPTS,
      `# ${name}\n\nReads the tables of an old system by a query, and replaces \`customers\` by what it makes of them. \`old-system.sql\` is a sample of the old system.\n\n${STEPS('psql "$DATABASE_URL" -f old-system.sql\n')}`,
    ),
    'old-system.sql': `CREATE TABLE old_people (id integer PRIMARY KEY, first_name text, last_name text, mail text);
INSERT INTO old_people VALUES
  (1, 'Ada', 'Lovelace', 'ADA@example.org'),
  (2, 'Grace', 'Hopper', 'grace@example.org'),
  (3, 'Joan', 'Clarke', NULL);
`,
    'table.ts': `/** The table that the rows end in; a run makes it where it is missing. */
export const createTable = \`CREATE TABLE customers (
  id integer PRIMARY KEY,
  name text NOT NULL,
  email text NOT NULL
)\`;
`,
    'pipeline.ts': `import { flow, pipeline, query, replace } from 'sluice';
import { filter, map } from 'sluice/transforms';
import { createTable } from './table.js';

type Person = { id: string; first_name: string | null; last_name: string | null; mail: string | null };

/** Values of a query are text, as the server writes them, or null. */
const people = query<Person>('SELECT id, first_name, last_name, mail FROM old_people ORDER BY id', {
  name: 'old_people',
  columns: ['id', 'first_name', 'last_name', 'mail'],
});

export default pipeline({
  name: ${text(name)},
  summary: 'Customers out of the people of the old system',
  inputs: { people },
  tables: { customers: replace('customers', { columns: ['id', 'name', 'email'] }) },
  creates: () => ({ customers: { create: createTable } }),
  flows: ({ inputs, tables }) => [
    flow(inputs.people)
      .through(
        filter((row) => row.mail !== null, 'no_mail'),
        map((row) => ({
          id: row.id,
          name: [row.first_name, row.last_name].filter((part) => part !== null).join(' '),
          email: row.mail?.toLowerCase() ?? null,
        })),
      )
      .into(tables.customers),
  ],
});
`,
    'test/pipeline.test.ts': `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testPipeline } from 'sluice/testing';
import pipeline from '${PIPELINE}';

test('people with mail become customers; the others are skipped with the reason', async () => {
  const tested = await testPipeline(pipeline, { tables: readFileSync('old-system.sql', 'utf8') });
  assert.deepEqual(tested.tables.customers, [
    { id: 1, name: 'Ada Lovelace', email: 'ada@example.org' },
    { id: 2, name: 'Grace Hopper', email: 'grace@example.org' },
  ]);
  assert.deepEqual(tested.summary.skip_reasons, { no_mail: 1 });
  assert.equal((await tested.rollback()).whole, true);
});
`,
  };
}
