import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { rollbackBatch } from '../../../src/run/rollback.js';
import { WITHOUT_LEDGER } from '../../support/database.js';
import { openDatabase } from '../../support/lots.js';
import { GOOD, importing, practiceContents, practiceDatabase, rejectsOf } from '../../support/okvet.js';

// The test cases of T-018, by their names there.

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

test('Batch creation and tracking', async (t) => {
  const database = await practiceDatabase(t);
  const bad = { 'ID Cliente': '3', Nombre: 'Eva', 'Correo electrónico': 'eva' };
  const { summary } = await importing(t, database, { ...GOOD, clients: [...GOOD.clients, bad] });
  const [batch] = await database.query(
    `SELECT source, status, total_records::int, processed_records::int, success_count::int, error_count::int,
       skip_count::int, started_at IS NOT NULL AS started, completed_at >= started_at AS ended, started_by,
       dry_run, stop_on_error FROM sluice.migration_batch WHERE id = $1`,
    [summary.batch],
  );
  assert.deepEqual(batch, {
    source: 'okvet',
    status: 'completed',
    total_records: 6,
    processed_records: 6,
    success_count: 5,
    error_count: 1,
    skip_count: 0,
    started: true,
    ended: true,
    started_by: 'postgres',
    dry_run: false,
    stop_on_error: false,
  });
});

test('a dry run writes neither rows nor a batch', async (t) => {
  const database = await practiceDatabase(t);
  await database.query(WITHOUT_LEDGER);
  const before = await practiceContents(database);
  const { summary } = await importing(t, database, GOOD, { dryRun: true });
  assert.equal(summary.status, 'dry run');
  assert.deepEqual(await practiceContents(database), before);
  const [ledger] = await database.query("SELECT to_regclass('sluice.migration_batch') AS there");
  assert.deepEqual(ledger, { there: null });
});

test('Record migration with success', async (t) => {
  const database = await practiceDatabase(t);
  const { summary } = await importing(t, database, GOOD);
  const [record] = await database.query(
    `SELECT record_type, source_id, status, target_model, target_id::int, source_data, error_message, error_field,
       transformed_data->>'email' AS email, transformed_data->>'first_name' AS first_name
     FROM sluice.migration_record WHERE batch_id = $1 AND record_type = 'client' AND source_id = '1'`,
    [summary.batch],
  );
  const [client] = await database.query<{ id: number }>("SELECT id::int FROM clients WHERE source_id = '1'");
  assert.deepEqual(record, {
    record_type: 'client',
    source_id: '1',
    status: 'success',
    target_model: 'public.clients',
    target_id: client?.id,
    source_data: GOOD.clients[0],
    error_message: '',
    error_field: '',
    email: 'ana@example.com',
    first_name: 'Ana',
  });
  const types = await database.query(
    'SELECT record_type AS type, count(*)::int AS n FROM sluice.migration_record WHERE status = $1 GROUP BY 1 ORDER BY 1',
    ['success'],
  );
  assert.deepEqual(types, [
    { type: 'client', n: 2 },
    { type: 'medical_record', n: 1 },
    { type: 'pet', n: 2 },
  ]);
});

test('Record migration with error', async (t) => {
  const database = await practiceDatabase(t);
  const bad = {
    'ID Cliente': '3',
    Nombre: 'Eva',
    'Correo electrónico': 'eva@',
    'Fecha de alta': '31/02/2024',
  };
  const { summary } = await importing(t, database, { clients: [bad, ...GOOD.clients] });
  const records = await database.query(
    `SELECT source_id, status, target_model, target_id, error_field, error_message, source_data
     FROM sluice.migration_record WHERE batch_id = $1 AND status = 'error'`,
    [summary.batch],
  );
  assert.deepEqual(records, [
    {
      source_id: '3',
      status: 'error',
      target_model: '',
      target_id: null,
      error_field: 'Fecha de alta',
      error_message: 'Fecha de alta: Cannot parse date: 31/02/2024; Invalid email format',
      source_data: bad,
    },
  ]);
  const [rows] = await database.query('SELECT count(*)::int AS n FROM clients');
  assert.deepEqual(rows, { n: 2 }, 'the others are there');
});

test('with stop_on_error the first error ends the batch, and nothing is published', async (t) => {
  const database = await practiceDatabase(t);
  const before = await practiceContents(database);
  const bad = { 'ID Cliente': '3', Nombre: 'Eva', 'Correo electrónico': 'eva@' };
  await assert.rejects(
    importing(t, database, { clients: [...GOOD.clients, bad] }, { stopOnError: true }),
    (error) => error instanceof SluiceError && error.message.includes('Invalid email format'),
  );
  assert.deepEqual(await practiceContents(database), before);
  const [batch] = await database.query('SELECT status, stop_on_error FROM sluice.migration_batch');
  assert.deepEqual(batch, { status: 'failed', stop_on_error: true });
});

test('Field transformations work', async (t) => {
  const database = await practiceDatabase(t);
  const born = ['2020-02-29', '03/04/2020', '25-12-2020', '12/25/2020'];
  const species = ['Perro', 'GATO', 'ave', 'Iguana'];
  const phones = ['55 1234 5678', '+52 (33) 3615-4420', '+1 555 123 4567', '(55) 9988-7766'];
  const { summary } = await importing(t, database, {
    clients: phones.map((phone, i) => ({ 'ID Cliente': String(i), Nombre: 'ANA', Teléfono: phone })),
    pets: born.map((date, i) => ({
      'ID Mascota': String(i),
      'ID Cliente': String(i),
      Nombre: 'Luna',
      Especie: species[i],
      'Fecha de nacimiento': date,
      Peso: ['4.2', '28,5 kg', '0.09', null][i],
    })),
  });
  const pets = await database.query(
    `SELECT p.birth_date::text AS born, p.species, p.weight_kg AS weight, c.phone
     FROM pets p JOIN clients c ON c.id = p.client_id ORDER BY p.source_id`,
  );
  assert.deepEqual(pets, [
    { born: '2020-02-29', species: 'dog', weight: '4.20', phone: '+525512345678' },
    { born: '2020-04-03', species: 'cat', weight: '28.50', phone: '+523336154420' },
    { born: '2020-12-25', species: 'bird', weight: '0.09', phone: '+1 555 123 4567' },
    { born: '2020-12-25', species: 'other', weight: null, phone: '+525599887766' },
  ]);
  const [report] = summary.reports.filter(({ name }) => name === 'ambiguous values of pets');
  assert.deepEqual(report?.rows, [['Fecha de nacimiento', 'ambiguous date', '1', '03/04/2020 (line 2)']]);
});

test('Validation catches errors', async (t) => {
  const database = await practiceDatabase(t);
  const invoice = { 'ID Cliente': '1', Fecha: '2023-01-01', Conceptos: 'Consulta: 2 x 350.00' };
  const { summary } = await importing(t, database, {
    clients: [...GOOD.clients, { 'ID Cliente': '3', 'Correo electrónico': 'x', Teléfono: '123' }],
    pets: [...GOOD.pets, { 'ID Mascota': 'P3', 'ID Cliente': '1' }],
    medical_records: [
      { 'ID Expediente': 'E1', 'ID Mascota': 'P1', Fecha: '2023-01-01' },
      { 'ID Expediente': 'E2', 'ID Mascota': 'P1', Fecha: '2019-01-01', Motivo: 'Vómito' },
    ],
    vaccinations: [
      { 'ID Vacunación': 'V1', 'ID Mascota': 'P1', Vacuna: 'Rabia', 'Fecha de aplicación': '31/01/2020' },
      {
        'ID Vacunación': 'V2',
        'ID Mascota': 'P1',
        Vacuna: 'Rabia',
        'Fecha de aplicación': '2023-01-02',
        'Próxima dosis': '2023-01-01',
      },
      { 'ID Vacunación': 'V3', 'ID Mascota': 'P1', Vacuna: 'Rabia', 'Fecha de aplicación': '01/02/2020' },
    ],
    appointments: [
      { 'ID Cita': 'C1', 'ID Cliente': '1', Fecha: '2024-01-01', Hora: '9:00', Duración: '0' },
      { 'ID Cita': 'C2', 'ID Cliente': '1', Fecha: '2024-01-01' },
    ],
    invoices: [
      { Folio: 'F1', ...invoice, IVA: '112.00', Total: '800.00' },
      { Folio: 'F2', ...invoice, IVA: '112.00', Subtotal: '600.00', Total: '812.00' },
      { Folio: 'F3', ...invoice, IVA: '112.00', Subtotal: '700.00', Total: '812.00' },
      { Folio: 'F4', ...invoice, Total: '700' },
    ],
  });
  assert.deepEqual(await rejectsOf(database, summary.batch), [
    'appointments 1 pattern Duración',
    'appointments 2 bad_date Fecha',
    'clients 3 format Correo electrónico',
    'invoices 1 lines_do_not_add_up Total',
    'invoices 2 lines_do_not_add_up Total',
    'medical_records 1 empty_record Diagnóstico',
    'medical_records 2 before_birth Fecha',
    'pets 3 required Nombre',
    'vaccinations 1 before_birth Fecha de aplicación',
    'vaccinations 2 due_before_given Próxima dosis',
  ]);
  const messages = await database.query<{ message: string }>(
    "SELECT message FROM sluice.migration_reject WHERE input IN ('clients', 'pets') ORDER BY input",
  );
  assert.deepEqual(messages, [
    { message: 'Invalid email format; Invalid phone format; Name is required' },
    { message: 'Pet name is required; Species is required' },
  ]);
});

test('Progress updates correctly', async (t) => {
  const database = await practiceDatabase(t);
  const clients = Array.from({ length: 5000 }, (_, i) => ({ 'ID Cliente': String(i), Nombre: 'Ana' }));
  const seen: number[] = [];
  const { summary } = await importing(
    t,
    database,
    { clients, pets: GOOD.pets },
    { events: { progress: ({ rows }) => void seen.push(rows) } },
  );
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
    'it never goes back',
  );
  assert.ok(seen.length >= 3 && (seen[0] as number) < 5002, 'it is told while the rows are read');
  assert.equal(seen.at(-1), 5002);
  assert.equal(summary.read, 5002);
  const [batch] = await database.query(
    'SELECT total_records::int AS total, processed_records::int AS processed FROM sluice.migration_batch',
  );
  assert.deepEqual(batch, { total: 5002, processed: 5002 });
});

test('Rollback restores state', async (t) => {
  const database = await practiceDatabase(t);
  await database.query("INSERT INTO clients (first_name) VALUES ('Entered by hand')");
  const first = await importing(t, database, GOOD);
  const before = await practiceContents(database);
  const corrected = GOOD.clients.map((client) => ({ ...client, Ciudad: 'Mérida' }));
  const added = { 'ID Mascota': 'P3', 'ID Cliente': '1', Nombre: 'Toby', Especie: 'Perro' };
  const second = await importing(t, database, { clients: corrected, pets: [...GOOD.pets, added] });
  assert.notDeepEqual(await practiceContents(database), before);

  const opened = openDatabase(t, database);
  await assert.rejects(
    rollbackBatch(first.summary.batch as string, { database: opened, log: quiet }),
    (error) => error instanceof SluiceError && error.code === 'built_upon',
    'a later batch that built on it is in the way',
  );
  await rollbackBatch(second.summary.batch as string, { database: opened, log: quiet });
  assert.deepEqual(await practiceContents(database), before, 'rows that were updated are as they were');
  await rollbackBatch(first.summary.batch as string, { database: opened, log: quiet });
  const left = await database.query('SELECT first_name FROM clients');
  assert.deepEqual(left, [{ first_name: 'Entered by hand' }]);
  const states = await database.query(
    `SELECT b.status AS batch, r.status AS record, count(*)::int AS n
     FROM sluice.migration_batch b JOIN sluice.migration_record r ON r.batch_id = b.id GROUP BY 1, 2 ORDER BY 1, 2`,
  );
  // P1 and P2 stood in the second import as they were: nothing was done, and nothing undone.
  assert.deepEqual(states, [
    { batch: 'rolled_back', record: 'rolled_back', n: 8 },
    { batch: 'rolled_back', record: 'skipped', n: 2 },
  ]);
});
