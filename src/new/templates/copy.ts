import { common, createTable, type Files, field, jsonSchema, text, type Wanted } from '../project.js';

/** Files into a table with one command, and no pipeline. */
export function copyProject(wanted: Wanted): Files {
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
