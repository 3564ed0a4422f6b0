import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { FieldMapping } from '../../../src/core/mapping.js';
import type { Row } from '../../../src/core/row.js';
import { replaceMappings } from '../../../src/db/ledger/mappings.js';
import { openLedger } from '../../../src/db/ledger/open.js';
import { openDatabase } from '../../support/lots.js';
import { GOOD, importing, practiceContents, practiceDatabase, rejectsOf } from '../../support/okvet.js';
import { thrown } from '../../support/thrown.js';

const ids = async (database: { query: <T extends object>(sql: string) => Promise<T[]> }, table: string) =>
  database.query<Row>(`SELECT source_id AS source, id::int FROM ${table} ORDER BY id`);

test('a row whose parent was rejected is rejected with that reason, and so are its own children', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, {
    // The files may come in any order.
    medical_records: [
      { 'ID Expediente': 'E1', 'ID Mascota': 'P1', Fecha: '2023-01-01', Motivo: 'Cojera' },
      { 'ID Expediente': 'E2', 'ID Mascota': 'P9', Fecha: '2023-01-01', Motivo: 'Cojera' },
    ],
    pets: [
      { 'ID Mascota': 'P1', 'ID Cliente': '1', Nombre: 'Luna', Especie: 'Perro' },
      { 'ID Mascota': 'P2', 'ID Cliente': '9', Nombre: 'Kiwi', Especie: 'Ave' },
    ],
    clients: [{ 'ID Cliente': '1', Nombre: 'Ana', 'Fecha de alta': '31/02/2020' }],
  });
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 1 bad_date Fecha de alta',
    'medical_records 1 pet_rejected ID Mascota',
    'medical_records 2 unknown_pet ID Mascota',
    'pets 1 client_rejected ID Cliente',
    'pets 2 unknown_client ID Cliente',
  ]);
  const [visit] = await database.query(
    "SELECT message FROM sluice.migration_reject WHERE reason = 'pet_rejected'",
  );
  assert.deepEqual(visit, {
    message:
      'its pet P1 (line 1) was rejected: client rejected; its client 1 (line 1) was rejected: bad date',
  });
});

test('an id that stands twice in a file is named with the line of the first, which is taken', async (t) => {
  const database = await practiceDatabase(t);
  const again = { 'ID Cliente': '1', Nombre: 'Otra' };
  const { summary } = await importing(t, database, { clients: [...GOOD.clients, again, again] });
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 3 duplicate_id ID Cliente',
    'clients 4 duplicate_id ID Cliente',
  ]);
  const rejects = await database.query('SELECT DISTINCT message FROM sluice.migration_reject');
  assert.deepEqual(rejects, [{ message: 'client 1 stands in line 1 already' }]);
  const names = await database.query("SELECT first_name FROM clients WHERE source_id = '1'");
  assert.deepEqual(names, [{ first_name: 'Ana' }]);
});

/** Mappings that leave ids as the file has them. */
const UNTRIMMED: readonly FieldMapping[] = [
  ['client', 'no', 'source_id'],
  ['client', 'who', 'name'],
  ['pet', 'no', 'source_id'],
  ['pet', 'of', 'client_id'],
  ['pet', 'name', 'name'],
  ['pet', 'kind', 'species'],
].map(([recordType = '', sourceField = '', targetField = '']) => ({
  ...{ sourceSystem: 'spaced', recordType, sourceField, targetField },
  ...{ transform: '', isRequired: false, defaultValue: '' },
}));

const spaced = { settings: { system: 'spaced' } };

async function spacedDatabase(t: TestContext) {
  const database = await practiceDatabase(t);
  const opened = openDatabase(t, database);
  await openLedger(opened);
  await replaceMappings(opened, 'spaced', undefined, UNTRIMMED);
  return database;
}

test('ids are compared without the spaces around them, and duplicates for that are told as such', async (t) => {
  const database = await spacedDatabase(t);
  const { summary } = await importing(
    t,
    database,
    {
      clients: [
        { no: ' 17 ', who: 'Ana' },
        { no: '17', who: 'Otra' },
        { no: '18', who: 'Eva' },
        { no: '18\u00a0', who: 'Otra' },
        { no: '18', who: 'Otra' },
      ],
      pets: [
        { no: 'P1', of: '17', name: 'Luna', kind: 'dog' },
        { no: 'P2', of: ' 18', name: 'Kiwi', kind: 'bird' },
      ],
    },
    spaced,
  );
  const rejects = await database.query(
    "SELECT concat_ws(' ', line, reason, message) AS said FROM sluice.migration_reject ORDER BY line",
  );
  assert.deepEqual(
    rejects.map(({ said }) => said),
    [
      '2 duplicate_id client 17 stands in line 1 already; the spaces around an id are no part of it',
      '4 duplicate_id client 18 stands in line 3 already; the spaces around an id are no part of it',
      '5 duplicate_id client 18 stands in line 3 already',
    ],
  );
  assert.equal(summary.loaded.pets, 2);
  assert.deepEqual(await database.query('SELECT source_id AS id FROM clients ORDER BY 1'), [
    { id: '17' },
    { id: '18' },
  ]);
  const records = await database.query(
    "SELECT source_id AS id FROM sluice.migration_record WHERE record_type = 'client' AND status = 'success' ORDER BY 1",
  );
  assert.deepEqual(records, [{ id: '17' }, { id: '18' }]);
});

test('a live id with spaces around it refuses, and the statement that fixes it is shown', async (t) => {
  const database = await spacedDatabase(t);
  await database.query(
    "INSERT INTO clients (source_system, source_id, name) VALUES ('spaced', ' 17', 'Ana')",
  );
  const again = () => importing(t, database, { clients: [{ no: '17', who: 'Eva' }] }, spaced);
  const error = await thrown(again());
  assert.match(error.message, /1 row of clients has spaces around the source id/);
  await database.query(String([error.facts.next].flat()[0]));
  await again();
  assert.deepEqual(await database.query('SELECT source_id AS id, name FROM clients'), [
    { id: '17', name: 'Eva' },
  ]);
});

test('a record whose first copy is bad is not taken from its second, and both can be resubmitted', async (t) => {
  const database = await practiceDatabase(t);
  const bad = { 'ID Cliente': '1', Nombre: 'Eva', Teléfono: '1' };
  const { summary } = await importing(t, database, {
    clients: [bad, ...GOOD.clients],
    pets: GOOD.pets,
  });
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 1 pattern Teléfono',
    'clients 2 duplicate_id ID Cliente',
    'pets 1 client_rejected ID Cliente',
  ]);
  const [second] = await database.query(
    "SELECT message FROM sluice.migration_reject WHERE reason = 'duplicate_id'",
  );
  assert.deepEqual(second, { message: 'client 1 stands in line 1 already, and was rejected there: pattern' });
  await importing(
    t,
    database,
    {
      clients: [{ ...bad, Teléfono: '5512345678', sluice_reject: '1' }],
      pets: [{ ...GOOD.pets[0], sluice_reject: '3' }],
    },
    { onlyRejectsOf: summary.batch as string },
  );
  assert.deepEqual(
    await database.query(
      'SELECT p.source_id AS pet, c.first_name AS client FROM pets p JOIN clients c ON c.id = p.client_id ORDER BY 1',
    ),
    [
      { pet: 'P1', client: 'Eva' },
      { pet: 'P2', client: null },
    ],
  );
});

test('of a live record that is bad in the file a second row is a duplicate as well, and its children stay', async (t) => {
  const database = await practiceDatabase(t);
  await importing(t, database, { clients: GOOD.clients });
  const bad = { ...GOOD.clients[0], Teléfono: '1' };
  const { summary } = await importing(t, database, {
    clients: [bad, ...GOOD.clients],
    pets: GOOD.pets,
  });
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'clients 1 pattern Teléfono',
    'clients 2 duplicate_id ID Cliente',
  ]);
  assert.equal(summary.loaded.pets, 2);
});

test('importing the same files again changes nothing, and skips every record', async (t) => {
  const database = await practiceDatabase(t);
  await importing(t, database, GOOD);
  const before = await practiceContents(database);
  const versions = () =>
    database.query(
      'SELECT xmin::text, id::int FROM clients UNION ALL SELECT xmin::text, id::int FROM pets ORDER BY 1, 2',
    );
  const written = await versions();
  const { summary } = await importing(t, database, GOOD);
  assert.deepEqual(await practiceContents(database), before);
  assert.deepEqual(await versions(), written, 'no row was written anew');
  const records = await database.query(
    'SELECT status, error_message, count(*)::int AS n FROM sluice.migration_record WHERE batch_id = $1 GROUP BY 1, 2',
    [summary.batch],
  );
  assert.deepEqual(records, [{ status: 'skipped', error_message: 'unchanged', n: 5 }]);
});

test('a corrected file updates what changed, adds what is new and leaves the rest; ids stay', async (t) => {
  const database = await practiceDatabase(t);
  await importing(t, database, GOOD);
  const corrected = { ...GOOD.clients[0], Ciudad: 'MÉRIDA' };
  const { summary } = await importing(t, database, {
    clients: [{ 'ID Cliente': '3', Nombre: 'Eva' }, corrected, GOOD.clients[1] as Row],
  });
  assert.deepEqual(await ids(database, 'clients'), [
    { source: '1', id: 1 },
    { source: '2', id: 2 },
    { source: '3', id: 3 },
  ]);
  const records = await database.query(
    'SELECT source_id AS source, status, target_id::int AS id FROM sluice.migration_record WHERE batch_id = $1 ORDER BY 1',
    [summary.batch],
  );
  assert.deepEqual(records, [
    { source: '1', status: 'success', id: 1 },
    { source: '2', status: 'skipped', id: 2 },
    { source: '3', status: 'success', id: 3 },
  ]);
});

test('a file alone refers to what earlier imports brought', async (t) => {
  const database = await practiceDatabase(t);
  await importing(t, database, { clients: GOOD.clients, pets: GOOD.pets });
  const { summary } = await importing(t, database, {
    medical_records: [
      ...GOOD.medical_records,
      { 'ID Expediente': 'E2', 'ID Mascota': 'P1', Fecha: '2020-01-31', Motivo: 'Antes de nacer' },
    ],
  });
  assert.deepEqual(await rejectsOf(database, summary.batch), ['medical_records 2 before_birth Fecha']);
  const [visit] = await database.query(
    'SELECT p.source_id AS pet FROM medical_records m JOIN pets p ON p.id = m.pet_id',
  );
  assert.deepEqual(visit, { pet: 'P1' });
});

test('rows that the practice entered itself keep their ids, and new ones come behind', async (t) => {
  const database = await practiceDatabase(t);
  await database.query("INSERT INTO clients (id, first_name) VALUES (40, 'By hand')");
  await database.query("SELECT setval('clients_id_seq', 50)");
  await importing(t, database, { clients: GOOD.clients });
  assert.deepEqual(await ids(database, 'clients'), [
    { source: null, id: 40 },
    { source: '1', id: 51 },
    { source: '2', id: 52 },
  ]);
  const [next] = await database.query<Row>(
    "INSERT INTO clients (first_name) VALUES ('Later') RETURNING id::int",
  );
  assert.deepEqual(next, { id: 53 });
});

test('one flow at a time is enough, whatever waits for whom', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, GOOD, { jobs: 1 });
  assert.deepEqual([summary.loaded.clients, summary.loaded.pets, summary.loaded.medical_records], [2, 2, 1]);
});

test('corrected rejects are resubmitted by themselves', async (t) => {
  const database = await practiceDatabase(t);
  const bad = { 'ID Cliente': '3', Nombre: 'Eva', Teléfono: '1' };
  const { summary } = await importing(t, database, { ...GOOD, clients: [...GOOD.clients, bad] });
  const again = await importing(
    t,
    database,
    { clients: [{ ...bad, Teléfono: '5512345678', sluice_reject: '1' }] },
    { onlyRejectsOf: summary.batch as string },
  );
  assert.equal(again.summary.rejected, 0);
  assert.deepEqual((await ids(database, 'clients')).at(-1), { source: '3', id: 3 });
});

test('without any file the run says which there may be', async (t) => {
  const database = await practiceDatabase(t);
  await assert.rejects(
    importing(t, database, {}),
    (error) =>
      error instanceof SluiceError &&
      error.code === 'no_files' &&
      String(error.facts.next).includes('--input pets='),
  );
});
