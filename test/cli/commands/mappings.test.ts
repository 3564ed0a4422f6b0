import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { mappingsCsv, readMappingsCsv } from '../../../src/cli/given/mappings-file.js';
import type { FieldMapping } from '../../../src/core/mapping.js';
import { sluice } from '../../support/cli.js';
import { testDatabase } from '../../support/database.js';
import { tempFolder } from '../../support/files.js';

const CLIENT: FieldMapping = {
  sourceSystem: 'vet',
  recordType: 'client',
  sourceField: 'nombre',
  targetField: 'name',
  transform: 'trim',
  isRequired: true,
  defaultValue: '',
};
const DEFINITION = {
  targets: { client: ['name', 'phone'], pet: ['name'] },
  transform: (name: string) => (name === 'trim' ? undefined : `there is no transform "${name}"`),
};
const HEAD = 'source_system,record_type,source_field,target_field,transform,is_required,default_value';
const read = (text: string, recordType?: string) =>
  readMappingsCsv(text, { system: 'vet', recordType }, DEFINITION);

test('everything that is wrong with a file of mappings is told at once, with line and column', () => {
  const { faults } = read(
    [
      HEAD,
      'vet,client,nombre,name,trim,true,',
      'vet,client,nombre,phone,trm,maybe,',
      'vet,client,tel,fone,trim,,',
      'other,client,tel2,phone,trim,,',
      `vet,dog,x,name,,,${'y'.repeat(256)}`,
      'vet,pet,,name,,',
    ].join('\n'),
  );
  assert.deepEqual(faults, [
    'line 3, is_required: "maybe" is neither true nor false',
    'line 5, source_system: is "other", and these are the mappings of vet',
    'line 7 has 6 fields, and the header 7',
    'line 3, transform: there is no transform "trm"',
    'line 3, source_field: "nombre" of vet client is mapped twice; (source_system, record_type, source_field) is unique',
    'line 4, target_field: there is no field "fone"; there are: name, phone',
    'line 6, default_value: has 256 characters, and 255 fit',
    'line 6, record_type: there is no record type "dog"; there are: client, pet',
    'line 7, source_field: is empty',
  ]);
});

test('a file with other columns, or none, is told which there are', () => {
  assert.deepEqual(read('source_system,record_typ,source_field,target_field\n').faults, [
    'line 1: there is no column "record_typ"; did you mean record_type?',
    'line 1: the column record_type is missing',
  ]);
  assert.match(read('').faults.join(), /the file is empty; its header is source_system,record_type/);
  assert.match(read(`${HEAD}\n"vet,`).faults.join(), /cannot be read as CSV/);
});

test('mappings are written as they are read', () => {
  const odd: FieldMapping = {
    ...CLIENT,
    sourceField: 'teléfono, "casa"',
    targetField: 'phone',
    isRequired: false,
    defaultValue: 'a\nb',
  };
  const { mappings, faults } = read(mappingsCsv([CLIENT, odd]));
  assert.deepEqual(faults, []);
  assert.deepEqual(mappings, [CLIENT, odd]);
});

/** A pipeline with mappings, in a folder of its own. */
function folderWith(t: TestContext) {
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'vet.js'),
    `import { csv, flow, merge, named, pipeline } from 'sluice';
const mapping = (sourceField, targetField) => ({ sourceSystem: 'vet', recordType: 'client', sourceField, targetField,
  transform: '', isRequired: false, defaultValue: '' });
export default pipeline({
  name: 'vet-import',
  summary: 'Clients.',
  inputs: { clients: csv('clients.csv') },
  tables: { clients: merge('clients', { columns: ['source_id', 'name'], key: ['source_id'] }) },
  records: { clients: { type: 'client', sourceId: 'codigo' } },
  executeByDefault: false,
  mappings: {
    system: 'vet',
    defaults: [mapping('codigo', 'source_id'), mapping('nombre', 'name')],
    targets: { client: ['source_id', 'name'] },
    transform: (name) => (name === 'upper' ? undefined : 'there is no transform "' + name + '"'),
  },
  flows: ({ inputs, tables, mappings }) => [
    flow(inputs.clients).through(named('map', async function* (rows) {
      for await (const chunk of rows) yield chunk.map((row) => {
        const made = { [Symbol.for('sluice.origin')]: row[Symbol.for('sluice.origin')] };
        for (const { sourceField, targetField, transform } of mappings)
          made[targetField] = transform === 'upper' ? row[sourceField].toUpperCase() : row[sourceField];
        return made;
      });
    })).into(tables.clients),
  ],
});
`,
  );
  writeFileSync(join(cwd, 'clients.csv'), 'codigo,nombre,apodo\n1,Ana,ani\n');
  return cwd;
}

test('mappings are exported, changed, imported and used; a dry run is the default, --execute writes', async (t) => {
  const database = await testDatabase(t);
  await database.query(
    'CREATE TABLE clients (id int GENERATED ALWAYS AS IDENTITY, source_id text PRIMARY KEY, name text)',
  );
  const cwd = folderWith(t);
  const run = (...args: string[]) => sluice(args, { cwd, env: { SLUICE_DATABASE_URL: database.url } });
  const own = ['--pipeline', './vet.js'];

  const exported = await run('mappings', 'vet', 'export', 'own.csv', ...own);
  assert.equal(exported.code, 0, exported.stderr);
  const text = readFileSync(join(cwd, 'own.csv'), 'utf8');
  assert.equal(text, `${HEAD}\nvet,client,codigo,source_id,,false,\nvet,client,nombre,name,,false,\n`);

  writeFileSync(join(cwd, 'bad.csv'), text.replace('nombre,name,', 'nombre,nome,'));
  const bad = await run('mappings', 'vet', 'import', 'bad.csv', ...own);
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, /line 3, target_field: there is no field "nome"; did you mean name\?/);
  assert.match(bad.stderr, /nothing was written/);

  writeFileSync(join(cwd, 'new.csv'), text.replace('nombre,name,', 'apodo,name,upper'));
  assert.equal((await run('mappings', 'vet', 'import', 'new.csv', ...own)).code, 0);
  const listed = await run('mappings', 'vet', ...own, '--json');
  assert.deepEqual(
    (JSON.parse(listed.stdout) as { sourceField: string; from: string }[]).map(
      ({ sourceField, from }) => `${sourceField} ${from}`,
    ),
    ['codigo ledger', 'apodo ledger'],
  );

  const dry = await run('run', './vet.js');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stderr,
    /this is a dry run, the default of vet-import[\s\S]*next: sluice run \S+vet\.js --execute {3}\(write it\)/,
  );
  assert.match(dry.stderr, /--execute +write it\n/);
  assert.deepEqual(await database.query('SELECT FROM clients'), []);
  const done = await run('run', './vet.js', '--execute', '--yes');
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(await database.query('SELECT source_id, name FROM clients'), [
    { source_id: '1', name: 'ANI' },
  ]);

  // One that somebody has spoilt behind our back is refused before any row is read.
  await database.query(
    "UPDATE sluice.migration_field_mapping SET transform = 'lower' WHERE source_field = 'apodo'",
  );
  const refused = await run('run', './vet.js', '--execute', '--yes');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /client\.apodo: there is no transform "lower"/);
});
