import { code, common, createTable, type Files, field, jsonSchema, text, type Wanted } from './project.js';
import { ownSqlite } from './sqlite-sample.js';

/** What a project may read. */
export const TEMPLATES = {
  csv: 'a CSV file, through stages of your own, into a table',
  query: 'tables of an old system in PostgreSQL, by a query',
  sqlite: 'the SQLite file of an application',
  copy: 'files into a table with one command, and no pipeline',
} as const;

export type Template = keyof typeof TEMPLATES;

/** Templates that are made of a sample of rows. */
export const OF_ROWS: ReadonlySet<Template> = new Set(['csv', 'copy']);

/** The files of a project. */
export async function filesOf(template: Template, wanted: Wanted): Promise<Files> {
  switch (template) {
    case 'csv':
      return csvProject(wanted);
    case 'query':
      return queryProject(wanted);
    case 'sqlite':
      return sqliteProject(wanted);
    case 'copy':
      return copyProject(wanted);
  }
}

/** What the tests of projects import: a file of theirs. */
const PIPELINE = '../pipeline.js';

const SCRIPTS = {
  check: 'sluice check ./pipeline.ts',
  dry: 'sluice run ./pipeline.ts --dry-run',
  start: 'sluice run ./pipeline.ts',
  test: 'tsc && node --test dist/test/pipeline.test.js',
};

const STEPS = (first: string) => `\`\`\`sh
npm install
npm test                    # compiles, and runs the pipeline in a database of its own
${first}npm run check               # asks everything that a run would ask first
npm start                   # shows the plan, asks, runs
npx sluice status           # the batches
npx sluice rollback 1       # puts back what batch 1 replaced
\`\`\`

The database is the one that \`.env\` names (see \`.env.example\`), else an embedded PostgreSQL.
`;

function tableModule(wanted: Wanted): string {
  return `/** The table that the rows end in; a run makes it where it is missing. */
export const createTable = \`${createTable(wanted.table, wanted.sample).replaceAll('`', '\\`')}\`;
`;
}

function csvProject(wanted: Wanted): Files {
  const { name, sample, file, table } = wanted;
  const { columns, key, delimiter } = sample;
  const renamed = columns.some(({ header, name: column }) => header !== column);
  const options = [
    `columns: [${columns.map(({ header }) => text(header)).join(', ')}]`,
    ...(delimiter === undefined ? [] : [`delimiter: ${text(delimiter)}`]),
  ].join(', ');
  const mapped = columns
    .map(({ header, name: column }) => `          ${column}: ${field(header)},\n`)
    .join('');
  const stages = [
    `        // Rows that do not fit are set aside with their line and the reason.\n        validate(schema),\n`,
    ...(renamed
      ? [
          `        // The file's names, as the table has them.\n        map((row) => ({\n${mapped}        })),\n`,
        ]
      : []),
  ].join('');
  return {
    ...common(
      wanted,
      SCRIPTS,
      `# ${name}\n\nReads \`data/${file.name}\` into the table \`${table}\`.\n\n${STEPS('')}`,
    ),
    [`data/${file.name}`]: file.content,
    'table.ts': tableModule(wanted),
    'schema.ts': `/** What a row of the file must be, as JSON Schema; proposed from ${sample.rows} rows. Values are text, and read as the types ask. */
export const schema = ${code(jsonSchema(sample, 'header'))};
`,
    'pipeline.ts': `import { csv, flow, pipeline, replace } from 'sluice';
import { ${renamed ? 'map, ' : ''}validate } from 'sluice/transforms';
import { schema } from './schema.js';
import { createTable } from './table.js';

export default pipeline({
  name: ${text(name)},
  summary: ${text(`The rows of ${file.name}`)},
  inputs: { rows: csv(${text(`data/${file.name}`)}, { ${options} }) },
  tables: { ${table}: replace(${text(table)}, { columns: [${columns.map((each) => text(each.name)).join(', ')}] }) },
  creates: () => ({ ${table}: { create: createTable } }),
  flows: ({ inputs, tables }) => [
    flow(inputs.rows)
      .through(
${stages}      )
      .into(tables.${table}),
  ],
});
`,
    'test/pipeline.test.ts': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faults, testPipeline } from 'sluice/testing';
import pipeline from '${PIPELINE}';

test('every row of the sample is loaded, a second run changes nothing, and a rollback takes them back', async () => {
  const tested = await testPipeline(pipeline);
  assert.equal(tested.summary.status, 'completed');
  assert.equal(tested.tables.${table}?.length, ${sample.rows});
  assert.equal((await tested.again()).summary.status, 'unchanged');
  assert.equal((await tested.rollback()).whole, true);
});
${
  key === undefined
    ? ''
    : `
test('a row that does not fit is set aside, and nothing is published unasked', async () => {
  const bad = faults.badRow({ input: 'rows', at: 1, values: { ${keyText(columns, key)}: null } });
  const tested = await testPipeline(pipeline, { faults: [bad], fails: 'too_many_rejects' });
  assert.deepEqual(tested.rejects.map(({ reason, column_name }) => [reason, column_name]), [['required', ${text(headerOf(columns, key))}]]);
});
`
}`,
  };
}

const headerOf = (columns: Wanted['sample']['columns'], key: string) =>
  columns.find(({ name }) => name === key)?.header ?? key;

const keyText = (columns: Wanted['sample']['columns'], key: string) => text(headerOf(columns, key));

function queryProject(wanted: Wanted): Files {
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

async function sqliteProject(wanted: Wanted): Promise<Files> {
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

function copyProject(wanted: Wanted): Files {
  const { name, sample, file, table } = wanted;
  const { columns, key, delimiter } = sample;
  const renames = columns.filter(({ header, name: column }) => header.trim().toLowerCase() !== column);
  const flags = [
    ...(key === undefined ? [] : [`--key ${key}`]),
    ...renames.map(({ header, name: column }) => `--map ${JSON.stringify(`${header}=${column}`)}`),
    ...(delimiter === undefined
      ? []
      : [`--delimiter ${delimiter === '\t' ? 'tab' : JSON.stringify(delimiter)}`]),
    '--schema schema.json',
  ].join(' ');
  const copy = `sluice copy data/${file.name} --into ${table} --create --mode ${key === undefined ? 'append' : 'merge'} ${flags}`;
  return {
    ...common(
      wanted,
      { dry: `${copy} --dry-run`, start: copy, test: 'tsc && node --test dist/test/rows.test.js' },
      `# ${name}\n\nLoads \`data/${file.name}\` into the table \`${table}\`, which is made where it is missing; rows that do not fit \`schema.json\` are set aside.\n\n\`\`\`sh\nnpm install\nnpm test\nnpm run dry\nnpm start\nnpx sluice rollback 1\n\`\`\`\n\nThe database is the one that \`.env\` names (see \`.env.example\`), else an embedded PostgreSQL.\n`,
    ),
    [`data/${file.name}`]: file.content,
    'schema.json': `${JSON.stringify(jsonSchema(sample, 'header'), undefined, 2)}\n`,
    'table.sql': `${createTable(table, sample)};\n`,
    'test/rows.test.ts': `import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { append, csv, flow, pipeline, type Row } from 'sluice';
import { testPipeline } from 'sluice/testing';
import { map, validate } from 'sluice/transforms';

/** What the command does, as a pipeline. */
const rows = pipeline({
  name: 'rows',
  summary: ${text(`The rows of ${file.name}`)},
  inputs: { rows: csv(${text(`data/${file.name}`)}${delimiter === undefined ? '' : `, { delimiter: ${text(delimiter)} }`}) },
  tables: { ${table}: append(${text(table)}, { columns: [${columns.map((each) => text(each.name)).join(', ')}] }) },
  flows: ({ inputs, tables }) => [
    flow(inputs.rows)
      .through(
        validate(JSON.parse(readFileSync('schema.json', 'utf8'))),
        map((row: Row) => ({
${columns.map(({ header, name: column }) => `          ${column}: ${field(header)},\n`).join('')}        })),
      )
      .into(tables.${table}),
  ],
});

test('every row of the file fits the schema and the table', async () => {
  const tested = await testPipeline(rows, { tables: readFileSync('table.sql', 'utf8') });
  assert.equal(tested.tables.${table}?.length, ${sample.rows});
  assert.deepEqual(tested.rejects, []);
});
`,
  };
}
