import { code, common, type Files, field, jsonSchema, text, type Wanted } from '../project.js';
import { PIPELINE, SCRIPTS, STEPS, tableModule } from './with-pipeline.js';

/** A CSV file, through stages, into a table. */
export function csvProject(wanted: Wanted): Files {
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
