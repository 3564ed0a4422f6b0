import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { okvetImport } from '../../../pipelines/okvet-import/index.js';
import { FILES } from '../../../samples/okvet-import/generate.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { sluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { practiceDatabase } from '../../support/okvet.js';

/** The sample's tables as the file of the sample names them, and a column that the sample's have not. */
const RENAMED = `
  ALTER TABLE clients RENAME TO customers;
  ALTER TABLE customers RENAME id TO customer_id;
  ALTER TABLE customers RENAME first_name TO given_name;
  ALTER TABLE customers RENAME last_name TO family_name;
  ALTER TABLE customers ADD loyalty_points integer;
  ALTER TABLE pets RENAME TO patients;
  ALTER TABLE patients RENAME client_id TO customer_id;
  ALTER TABLE patients RENAME birth_date TO born_on;
  ALTER TABLE patients RENAME source_id TO old_id`;

async function practice(t: TestContext) {
  const database = await practiceDatabase(t);
  await database.query(RENAMED);
  const cwd = tempFolder(t);
  cpSync(fileURLToPath(new URL('own-tables.ts', FILES)), join(cwd, 'own-tables.ts'));
  const run = (...args: string[]) => sluice(args, { cwd, env: { DATABASE_URL: database.url } });
  return { database, cwd, run };
}

const CLIENTS = `ID Cliente,Razón social,Nombre,Apellidos,Correo electrónico,Teléfono,Celular,RFC,Dirección,Ciudad,C.P.,Fecha de alta,Activo,Notas`;
const PETS =
  'ID Mascota,ID Cliente,Nombre,Especie,Raza,Sexo,Fecha de nacimiento,Peso,Color,Microchip,Esterilizado,Fallecido,Notas';

test('a file of a few lines imports into tables and columns of other names, again and back', async (t) => {
  const { database, cwd, run } = await practice(t);
  writeFileSync(join(cwd, 'clients.csv'), `${CLIENTS}\n1,,ANA,Ríos,,,,,,,,,,\n2,,,Paz,,,,,,,,,,\n`);
  writeFileSync(
    join(cwd, 'pets.csv'),
    `${PETS}\nP1,1,Luna,Perro,,,2020-02-01,,,,,,\nP2,2,Kiwi,Ave,,,,,,,,,\n`,
  );
  writeFileSync(
    join(cwd, 'vaccinations.csv'),
    'ID Vacunación,ID Mascota,Vacuna,Lote,Fecha de aplicación,Próxima dosis,Veterinario\nV1,P1,Rabia,,2019-01-01,,\nV2,P1,Rabia,,2021-01-01,,\n',
  );
  const files = ['clients', 'pets', 'vaccinations'].flatMap((name) => ['--input', `${name}=${name}.csv`]);
  const command = ['run', './own-tables.ts', ...files, '--execute', '--yes', '--max-rejects', '3'];
  const ran = await run(...command);
  assert.equal(ran.code, 4, ran.stderr);
  assert.deepEqual(
    await database.query(
      'SELECT old_id, born_on::text, given_name, family_name FROM patients p JOIN customers USING (customer_id)',
    ),
    [{ old_id: 'P1', born_on: '2020-02-01', given_name: 'Ana', family_name: 'Ríos' }],
  );
  const rejects = await database.query<{ said: string }>(
    "SELECT concat_ws(' ', input, reason, column_name, source_id) AS said FROM sluice.migration_reject ORDER BY 1",
  );
  assert.deepEqual(
    rejects.map(({ said }) => said),
    [
      'clients.csv name_required Nombre 2',
      'pets.csv client_rejected ID Cliente P2',
      'vaccinations.csv before_birth Fecha de aplicación V1',
    ],
  );
  const [record] = await database.query(
    "SELECT target_model, target_id::int FROM sluice.migration_record WHERE record_type = 'client' AND status = 'success'",
  );
  const [customer] = await database.query('SELECT customer_id::int AS id FROM customers');
  assert.deepEqual(record, { target_model: 'public.customers', target_id: customer?.id });
  assert.match((await run(...command)).stderr, /nothing to publish: live already holds every row/);
  assert.equal((await run('rollback', '1', '--yes')).code, 0);
  assert.deepEqual(await database.query('SELECT FROM customers'), []);
});

test('mappings name columns as the practice does, also such as the sample has not', async (t) => {
  const { database, cwd, run } = await practice(t);
  const mappings = (...args: string[]) => run('mappings', 'okvet', ...args, '--pipeline', './own-tables.ts');
  assert.equal((await mappings('export', 'm.csv')).code, 0);
  const exported = readFileSync(join(cwd, 'm.csv'), 'utf8');
  assert.match(exported, /okvet,client,Nombre,given_name,/);
  const more = (field: string) =>
    writeFileSync(join(cwd, 'm.csv'), `${exported}okvet,client,Puntos,${field},number,,\n`);
  more('loyalty_point');
  assert.match(
    (await mappings('import', 'm.csv')).stderr,
    /no field "loyalty_point"; did you mean loyalty_points/,
  );
  more('customer_id');
  assert.match(
    (await mappings('import', 'm.csv')).stderr,
    /there is no field "customer_id"/,
    'the import fills it',
  );
  more('loyalty_points');
  const imported = await mappings('import', 'm.csv');
  assert.equal(imported.code, 0, imported.stderr);
  const points = (...values: string[]) => {
    const lines = values.map((value, at) => `${at + 1},,Ana,,,,,,,,,,,,${value}\n`);
    writeFileSync(join(cwd, 'clients.csv'), `${CLIENTS},Puntos\n${lines.join('')}`);
  };
  points('120', '2147483648');
  const command = ['run', './own-tables.ts', '--input', 'clients=clients.csv', '--execute', '--yes'];
  const refused = await run(...command);
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /loyalty_points.*2147483648/);
  points('120');
  const ran = await run(...command);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await database.query('SELECT given_name, loyalty_points AS n FROM customers'), [
    { given_name: 'Ana', n: 120 },
  ]);
});

test('what is suggested about mappings names the file whose columns they have', async (t) => {
  const { cwd, run } = await practice(t);
  writeFileSync(join(cwd, 'clients.csv'), 'ID Cliente,Nombres\n1,Ana\n');
  const refused = await run('check', './own-tables.ts', '--input', 'clients=clients.csv');
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /sluice mappings okvet export mappings\.csv --pipeline .*own-tables\.ts/);
});

test('a column of theirs may have the name of one of ours that is called otherwise', async (t) => {
  const { database, run, cwd } = await practice(t);
  await database.query('ALTER TABLE customers ADD first_name text');
  writeFileSync(
    join(cwd, 'm.csv'),
    'source_system,record_type,source_field,target_field\nvet,client,no,source_id\nvet,client,who,given_name\nvet,client,nick,first_name\n',
  );
  const imported = await run('mappings', 'vet', 'import', 'm.csv', '--pipeline', './own-tables.ts');
  assert.equal(imported.code, 0, imported.stderr);
  writeFileSync(join(cwd, 'clients.csv'), 'no,who,nick\n1,Ana,Anita\n');
  const args = ['--set', 'system=vet', '--input', 'clients=clients.csv', '--execute', '--yes'];
  const ran = await run('run', './own-tables.ts', ...args);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await database.query('SELECT given_name, first_name FROM customers'), [
    { given_name: 'Ana', first_name: 'Anita' },
  ]);
});

test('names that fit nothing are told when the file is loaded', () => {
  const told = (names: Parameters<typeof okvetImport>[0]) => {
    try {
      okvetImport(names);
    } catch (error) {
      assert.ok(error instanceof SluiceError);
      return `${error.message}; ${error.facts.next}`;
    }
    return 'nothing';
  };
  assert.match(
    told({ tables: { client: 'customers' } as never }),
    /no input "client"; did you mean clients\?/,
  );
  assert.match(
    told({ columns: { clients: { firstname: 'given_name' } } }),
    /no column of clients "firstname"; did you mean first_name\?/,
  );
  assert.match(told({ columns: { clients: { name: 'email' } } }), /two columns of clients are called email/);
  assert.equal(told({ columns: { clients: { name: 'email', email: 'name' } } }), 'nothing');
});
