import assert from 'node:assert/strict';
import { test } from 'node:test';
import okvetImport from '../../../pipelines/okvet-import/index.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { FieldMapping } from '../../../src/core/mapping.js';
import { replaceMappings } from '../../../src/db/ledger/mappings.js';
import { openLedger } from '../../../src/db/ledger/open.js';
import { findStaged, swapBatch } from '../../../src/run/swap.js';
import { csv } from '../../../src/sources/csv/index.js';
import { fileSource } from '../../../src/sources/file.js';
import { jsonl } from '../../../src/sources/json/jsonl.js';
import { tempFile } from '../../support/files.js';
import { openDatabase } from '../../support/lots.js';
import { GOOD, importing, practiceDatabase, rejectsOf } from '../../support/okvet.js';
import { thrown } from '../../support/thrown.js';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const mapping = (
  recordType: string,
  sourceField: string,
  targetField: string,
  transform = '',
  isRequired = false,
): FieldMapping => ({
  sourceSystem: 'vetsoft',
  recordType,
  sourceField,
  targetField,
  transform,
  isRequired,
  defaultValue: '',
});

/** VetSoft is invented: its files are American, and have a client's name in one field. */
const VETSOFT = [
  mapping('client', 'customer_no', 'source_id', 'trim', true),
  mapping('client', 'customer', 'first_name+last_name', 'split_name'),
  mapping('client', 'phone', 'phone', 'phone_format'),
  mapping('client', 'since', 'registered_on', 'date_parse(%m/%d/%Y)'),
  mapping('pet', 'animal_no', 'source_id', 'trim', true),
  mapping('pet', 'customer_no', 'client_id', 'trim', true),
  mapping('pet', 'animal', 'name'),
  mapping('pet', 'kind', 'species', 'enum(K9=dog, FEL=cat, *=other)'),
];

test('a second system is imported by adding mappings, without code', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', undefined, VETSOFT);
  await importing(t, database, GOOD);
  const { summary } = await importing(
    t,
    database,
    {
      clients: [
        { customer_no: '1', customer: 'Gómez Paz, Raúl', phone: '55 8765 4321', since: '03/04/2021' },
      ],
      pets: [
        { animal_no: 'P1', customer_no: '1', animal: 'Rex', kind: 'K9' },
        { animal_no: 'P2', customer_no: '2', animal: 'Tom', kind: 'FEL' },
      ],
    },
    { settings: { system: 'vetsoft' } },
  );
  assert.deepEqual(
    await rejectsOf(database, summary.batch),
    ['pets 2 unknown_client customer_no'],
    'client 2 is one of the other system',
  );
  const clients = await database.query(
    `SELECT source_system AS system, source_id AS source, first_name, last_name, phone, registered_on::text AS since
     FROM clients WHERE source_id = '1' ORDER BY id`,
  );
  assert.deepEqual(clients[1], {
    system: 'vetsoft',
    source: '1',
    first_name: 'Raúl',
    last_name: 'Gómez Paz',
    phone: '+525587654321',
    since: '2021-03-04',
  });
  const records = await database.query(
    "SELECT source_id AS id, record_type AS type FROM sluice.migration_record WHERE batch_id = $1 AND status = 'success' ORDER BY 2",
    [summary.batch],
  );
  assert.deepEqual(records, [
    { id: '1', type: 'client' },
    { id: 'P1', type: 'pet' },
  ]);
});

test('mappings of OkVet that the ledger holds take the place of the defaults', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'okvet', 'client', [
    { ...mapping('client', 'No.', 'source_id', '', true), sourceSystem: 'okvet' },
    { ...mapping('client', 'Quién', 'name'), sourceSystem: 'okvet' },
  ]);
  await importing(t, database, { clients: [{ 'No.': '7', Quién: 'Refugio' }] });
  assert.deepEqual(await database.query('SELECT source_id AS id, name FROM clients'), [
    { id: '7', name: 'Refugio' },
  ]);
});

test('mappings with unknown transforms or columns, or that nothing can be told apart by, are refused at once', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  const refusedFor = async (mappings: readonly FieldMapping[]) => {
    await replaceMappings(opened, 'vetsoft', undefined, mappings);
    let read = false;
    const source = {
      ...csv('nowhere.csv'),
      kind: 'memory' as const,
      check: async () => {},
      async *read() {
        read = true;
        yield* [];
      },
    };
    const error = await importing(
      t,
      database,
      {},
      { inputs: { clients: source }, settings: { system: 'vetsoft' } },
    ).then(
      () => undefined,
      (failure) => failure as SluiceError,
    );
    assert.equal(read, false, 'no row was read');
    assert.ok(error instanceof SluiceError);
    return [error.message, ...(error.facts.details ?? [])].join('\n');
  };
  const id = mapping('client', 'no', 'source_id');
  assert.match(await refusedFor([]), /no field mappings of the source system "vetsoft"/);
  assert.match(
    await refusedFor([id, mapping('client', 'a', 'name', 'dat_parse')]),
    /did you mean date_parse/,
  );
  assert.match(await refusedFor([id, mapping('client', 'a', 'nombre')]), /no field "nombre"/);
  assert.match(
    await refusedFor([id, mapping('client', 'a', 'name'), mapping('client', 'b', 'name')]),
    /filled by a/,
  );
  assert.match(await refusedFor([mapping('client', 'a', 'name')]), /no mapping fills source_id of client/);
});

test('a file that lacks a mapped field is refused before anything is written, with the field that was meant', async (t) => {
  const database = await practiceDatabase(t);
  const header =
    'ID Mascota,ID Cliente,Nombre,Especies,Raza,Sexo,Fecha de nacimiento,Peso,Color,Microchip,Esterilizado,Fallecido,Notas';
  const path = tempFile(t, 'pets.csv', `${header}\nP1,1,Luna,Perro,,,,,,,,,\n`);
  await assert.rejects(importing(t, database, {}, { inputs: { pets: csv(path) } }), (error) => {
    assert.ok(error instanceof SluiceError);
    assert.match(error.message, /file of pets lacks a field that the mappings of okvet name/);
    assert.equal(error.facts.details?.[0], 'Especie (it has Especies)');
    return true;
  });
});

test('a file with another delimiter is told as such, and the way that is named reads it', async (t) => {
  const database = await practiceDatabase(t);
  const fields = [
    ...[
      'ID Cliente',
      'Razón social',
      'Nombre',
      'Apellidos',
      'Correo electrónico',
      'Teléfono',
      'Celular',
      'RFC',
    ],
    ...['Dirección', 'Ciudad', 'C.P.', 'Fecha de alta', 'Activo', 'Notas'],
  ];
  const values = fields.map((_, at) => ({ 0: '1', 2: 'Ana' })[at] ?? '');
  const written = (delimiter: string, name: string, before = '') =>
    tempFile(t, name, `${before}\ufeff${fields.join(delimiter)}\n${values.join(delimiter)}\n`);
  const refusal = async (path: string) => {
    const error = await thrown(importing(t, database, {}, { inputs: { clients: fileSource(path) } }));
    return [error.message, String(error.facts.next)];
  };
  const [semicolons = '', put = ''] = await refusal(written(';', 'clients.csv'));
  assert.match(
    semicolons,
    /the fields of the file of clients seem to stand between ";", and not between commas/,
  );
  assert.match(put, /^put the line sep=; before the header/);
  const [tabs = '', call = ''] = await refusal(written('\t', 'clients.csv'));
  assert.match(tabs, /seem to stand between tabs/);
  assert.match(call, /^call the file clients\.tsv/);
  for (const path of [written(';', 'clients.csv', 'sep=;\n'), written('\t', 'clients.tsv')]) {
    await importing(t, database, {}, { inputs: { clients: fileSource(path) } });
    assert.deepEqual(await database.query('SELECT source_id AS id, first_name AS name FROM clients'), [
      { id: '1', name: 'Ana' },
    ]);
    await database.query('TRUNCATE clients CASCADE');
  }
});

test('records of JSON may leave fields out', async (t) => {
  const database = await practiceDatabase(t);
  const path = tempFile(
    t,
    'clients.jsonl',
    '{"ID Cliente":1,"Nombre":"Ana"}\n{"ID Cliente":2,"Nombre":"Eva","Activo":false}\n',
  );
  await importing(t, database, {}, { inputs: { clients: jsonl(path) } });
  assert.deepEqual(await database.query('SELECT source_id AS id, active FROM clients ORDER BY 1'), [
    { id: '1', active: true },
    { id: '2', active: false },
  ]);
});

test('a field of a file that no mapping names is told of, and left out', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', undefined, VETSOFT);
  const path = tempFile(t, 'clients.csv', 'customer_no,customer,phone,since,fax\n1,Ana,,,555\n');
  const { said } = await importing(
    t,
    database,
    {},
    { inputs: { clients: csv(path) }, settings: { system: 'vetsoft' } },
  );
  assert.deepEqual(said, [
    'files-have-the-fields: fields of clients that no mapping names are not imported: fax',
  ]);
});

test('a column that no mapping fills keeps what somebody has put there by hand', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', undefined, VETSOFT);
  const client = { customer_no: '1', customer: 'Raúl Gómez' };
  const settings = { system: 'vetsoft' };
  await importing(t, database, { clients: [client] }, { settings });
  await database.query("UPDATE clients SET email = 'raul@example.com', phone = '1'");
  await importing(t, database, { clients: [{ ...client, phone: '5512345678' }] }, { settings });
  assert.deepEqual(await database.query('SELECT email, phone FROM clients'), [
    { email: 'raul@example.com', phone: '+525512345678' },
  ]);
});

test('staging that was loaded under other mappings is published as it was loaded', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', undefined, VETSOFT);
  const settings = { system: 'vetsoft' };
  await importing(t, database, { clients: [{ customer_no: '1', customer: 'Raúl Gómez' }] }, { settings });
  await database.query("UPDATE clients SET city = 'León'");
  const staged = await importing(
    t,
    database,
    { clients: [{ customer_no: '1', customer: 'Raúl Paz' }] },
    { settings, publish: false },
  );
  await replaceMappings(opened, 'vetsoft', undefined, [...VETSOFT, mapping('client', 'town', 'city')]);
  const batch = await findStaged(opened, staged.summary.batch as string);
  await swapBatch(okvetImport, batch, { database: opened, log: quiet });
  assert.deepEqual(await database.query('SELECT last_name, city FROM clients'), [
    { last_name: 'Paz', city: 'León' },
  ]);
});

test('a name of one word is a first name; where the table wants both, the reject says what to do', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', undefined, VETSOFT);
  const records = {
    clients: [
      { customer_no: '1', customer: 'Madonna' },
      { customer_no: '2', customer: 'Ana Ríos' },
      { customer_no: '3', customer: ' ' },
    ],
  };
  const settings = { system: 'vetsoft' };
  const first = await importing(t, database, records, { settings });
  assert.deepEqual(await rejectsOf(database, first.summary.batch), ['clients 3 name_required customer']);
  const names = 'SELECT source_id AS id, first_name, last_name FROM clients ORDER BY 1';
  assert.deepEqual(await database.query(names), [
    { id: '1', first_name: 'Madonna', last_name: null },
    { id: '2', first_name: 'Ana', last_name: 'Ríos' },
  ]);
  await database.query('DELETE FROM clients; ALTER TABLE clients ALTER last_name SET NOT NULL');
  const second = await importing(t, database, records, { settings });
  assert.deepEqual(await rejectsOf(database, second.summary.batch), [
    'clients 1 required customer',
    'clients 3 name_required customer',
  ]);
  const [madonna] = await database.query(
    'SELECT value, message, expected FROM sluice.migration_reject WHERE batch_id = $1 AND line = 1',
    [second.summary.batch],
  );
  assert.deepEqual(madonna, {
    value: 'Madonna',
    message: 'it gives no last_name, and the table takes no row without',
    expected: 'a value, or a default_value in the mapping',
  });
  await replaceMappings(
    opened,
    'vetsoft',
    undefined,
    VETSOFT.map((each) => (each.transform === 'split_name' ? { ...each, defaultValue: '-' } : each)),
  );
  await importing(t, database, { clients: records.clients.slice(0, 2) }, { settings });
  assert.deepEqual((await database.query(names))[0], { id: '1', first_name: 'Madonna', last_name: '-' });
});

test('a record without an id is rejected, whatever its mapping says', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'vetsoft', 'client', [
    mapping('client', 'no', 'source_id'),
    mapping('client', 'who', 'name'),
  ]);
  const { summary } = await importing(
    t,
    database,
    { clients: [{ who: 'Ana' }, { no: '  ', who: 'Eva' }, { no: '3', who: 'Eva' }] },
    { settings: { system: 'vetsoft' } },
  );
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 1 required no',
    'clients 2 required no',
  ]);
});

test('a value that its column could not hold is rejected before its children are looked at', async (t) => {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  // No transform makes a date of the text.
  await replaceMappings(opened, 'vetsoft', undefined, [
    ...VETSOFT.filter(({ targetField }) => targetField !== 'registered_on'),
    mapping('client', 'since', 'registered_on'),
  ]);
  const { summary } = await importing(
    t,
    database,
    {
      clients: [
        { customer_no: '1', customer: 'x'.repeat(101) },
        { customer_no: '2', customer: 'Ana', since: 'ayer' },
      ],
      pets: [
        { animal_no: 'P1', customer_no: '1', animal: 'Rex', kind: 'K9' },
        { animal_no: 'P2', customer_no: '2', animal: 'Tom', kind: 'FEL' },
        { animal_no: 'P3', customer_no: null, animal: 'Tom', kind: 'FEL' },
      ],
    },
    { settings: { system: 'vetsoft' } },
  );
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 1 max_length customer',
    'clients 2 format since',
    'pets 1 client_rejected customer_no',
    'pets 2 client_rejected customer_no',
    'pets 3 required customer_no',
  ]);
});
