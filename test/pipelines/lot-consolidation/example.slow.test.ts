import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill } from '../../../samples/lot-consolidation/generate.js';
import { csv as csvFile } from '../../../src/sources/csv/index.js';
import { tempFile } from '../../support/files.js';
import { long } from '../../support/long.js';
import {
  asExpected,
  catalog,
  checksum,
  contents,
  exported,
  leftGuards,
  leftSchemas,
  lotSystem,
  runLots,
  sample,
} from '../../support/lots.js';

const tables = async () => ({
  lots: await sample('expected/lots.csv'),
  serials: await sample('expected/serials.csv'),
});

test('a dry run changes nothing, not even a schema, and reports every consolidation', async (t) => {
  const database = await lotSystem(t);
  const before = [await contents(database), await catalog(database)];
  const { summary } = await runLots(t, database, { dryRun: true, settings: { backup: 'on' } });
  assert.deepEqual([await contents(database), await catalog(database)], before);
  assert.equal(summary.status, 'dry run');
  assert.equal(summary.batch, null);
  assert.deepEqual(summary.published, {});
  assert.deepEqual(summary.files, []);
  const [report] = summary.reports;
  assert.equal(report?.name, 'consolidations');
  assert.deepEqual(report?.columns, ['lot', 'kept_lot', 'lots', 'serials', 'first', 'last']);
  assert.deepEqual(
    report?.rows.find((row) => row[0] === 'LI14PSA2511'),
    ['LI14PSA2511', '63', '3', '250', 'LI14PSA2511001', 'LI14PSA2511250'],
  );
  assert.deepEqual(
    report?.rows.map((row) => row[0]),
    ['KR01PSA2511', 'KR02PSB2510', 'LI14PSA2510', 'LI14PSA2511', 'LI14PSB2511'],
  );
  assert.match(report?.summary[0] ?? '', /^5 groups: 11 LOTs become 5, \d+ serials renumbered$/);
});

test('the documented example: LOTs 63, 64 and 65 become LOT 63, LI14PSA2511, to the letter', async (t) => {
  const database = await lotSystem(t);
  const old = await database.query<{ id: string; lot: number; place: number }>(
    `SELECT id::text, lot_id AS lot, row_number() OVER (PARTITION BY lot_id ORDER BY serial_number)::int AS place
     FROM serials WHERE lot_id IN (63, 64, 65)`,
  );
  assert.equal(old.length, 250);
  const { summary } = await runLots(t, database);
  assert.equal(summary.status, 'completed');
  const lots = await database.query(
    "SELECT id, lot_number FROM lots WHERE id BETWEEN 63 AND 65 OR lot_number = 'LI14PSA2511'",
  );
  assert.deepEqual(lots, [{ id: 63, lot_number: 'LI14PSA2511' }]);
  const now = await database.query<{ id: string; serial_number: string }>(
    'SELECT id::text, serial_number FROM serials WHERE lot_id = 63',
  );
  const numbers = new Map(now.map((row) => [row.id, row.serial_number]));
  assert.equal(numbers.size, 250);
  const before: Readonly<Record<number, number>> = { 63: 0, 64: 100, 65: 200 };
  for (const { id, lot, place } of old)
    assert.equal(
      numbers.get(id),
      `LI14PSA2511${String((before[lot] as number) + place).padStart(3, '0')}`,
      `serial ${id}, number ${place} of LOT ${lot}`,
    );
});

test('the whole sample comes out as the expected files have it, and what surrounds the tables stays', async (t) => {
  const database = await lotSystem(t);
  const around = await catalog(database, false);
  const inspections = await checksum(database, 'SELECT * FROM inspections');
  const { summary } = await runLots(t, database);
  assert.deepEqual(await asExpected(database), await tables());
  assert.deepEqual(await catalog(database, false), around);
  assert.equal(await checksum(database, 'SELECT * FROM inspections'), inspections);
  assert.deepEqual(summary.published, { lots: 'replace', serials: 'replace' });
  assert.deepEqual(summary.loaded, { lots: 6, serials: 370 });
  assert.deepEqual(summary.skip_reasons, { already_in_the_new_format: 35 });
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), [`sluice_old_${summary.batch}`]);
  // The view reads the new tables, and identities go on where they were.
  const [view] = await database.query(
    "SELECT serials::int FROM lot_summary WHERE lot_number = 'LI14PSA2511'",
  );
  assert.deepEqual(view, { serials: 250 });
  await database.query(
    "INSERT INTO lots (lot_number, production_month) VALUES ('WF-KR-251201D-001', '2512')",
  );
});

test('a second run changes nothing, keeps the very tables, and says why', async (t) => {
  const database = await lotSystem(t);
  await runLots(t, database);
  const oids = "SELECT 'lots'::regclass::oid AS lots, 'serials'::regclass::oid AS serials";
  const before = [await contents(database), await database.query(oids)];
  const { summary } = await runLots(t, database);
  assert.equal(summary.status, 'unchanged');
  assert.deepEqual(summary.published, {});
  assert.deepEqual([await contents(database), await database.query(oids)], before);
  assert.equal(summary.read, 371);
  assert.equal(summary.skipped, 371);
  assert.deepEqual(summary.reports[0]?.summary, ['nothing to consolidate: every LOT is in the new format']);
  const [batch] = await database.query('SELECT status FROM sluice.migration_batch WHERE id = $1', [
    summary.batch,
  ]);
  assert.deepEqual(batch, { status: 'completed' });
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), ['sluice_old_1']);
});

test('the lines of a CSV export may come in any order, and the result is that of the tables', async (t) => {
  const database = await lotSystem(t);
  const [head, ...lines] = await exported(database);
  // Backwards, then every seventh line first: neither LOTs nor groups stay together.
  const shuffled = lines.reverse().map((line, at) => [(at * 7) % lines.length, line] as const);
  shuffled.sort((a, b) => a[0] - b[0]);
  const file = tempFile(t, 'serials.csv', `${[head, ...shuffled.map((each) => each[1])].join('\n')}\n`);
  const { summary } = await runLots(t, database, { inputs: { serials: csvFile(file) } });
  assert.equal(summary.status, 'completed');
  assert.deepEqual(await asExpected(database), await tables());
});

test('lines that disagree about their LOT are rejects, and nothing is published', async (t) => {
  const database = await lotSystem(t);
  const before = await contents(database);
  const lines = await exported(database);
  const at = lines.findIndex((line) => line.includes('WF-KR-251120N-004-050'));
  lines[at] = (lines[at] as string).replace(',PSA,', ',PSB,');
  const file = tempFile(t, 'serials.csv', `${lines.join('\n')}\n`);
  await assert.rejects(runLots(t, database, { inputs: { serials: csvFile(file) } }), (error: Error) => {
    assert.match(error.message, /^1 of 373 rows was rejected; none may be/);
    return true;
  });
  const [reject] = await database.query('SELECT line::int, reason FROM sluice.migration_reject');
  assert.deepEqual(reject, { line: at + 1, reason: 'lot_lines_disagree' });
  assert.deepEqual(await contents(database), before);
});

test('an empty system is nothing to do', async (t) => {
  const database = await lotSystem(t, { data: false });
  const { summary } = await runLots(t, database);
  assert.equal(summary.status, 'unchanged');
  assert.equal(summary.read, 0);
});

/** Everything the migration does, as one statement over the old tables. */
const ORACLE = `
  WITH lot AS (
    SELECT l.id, p.line_code || m.model_code || l.production_month AS number,
           l.lot_number = p.line_code || m.model_code || l.production_month AS kept,
           first_value(l.id) OVER (PARTITION BY l.production_line_id, l.product_model_id, l.production_month
             ORDER BY l.lot_number <> p.line_code || m.model_code || l.production_month, l.id) AS into_id
    FROM lots l JOIN production_lines p ON p.id = l.production_line_id JOIN product_models m ON m.id = l.product_model_id)
  SELECT s.id, lot.into_id AS lot_id, lot.number || lpad((row_number() OVER (PARTITION BY lot.number
           ORDER BY NOT lot.kept, s.lot_id, length(s.serial_number), s.serial_number COLLATE "C"))::text, 3, '0') AS serial_number
  FROM serials s JOIN lot ON lot.id = s.lot_id`;

long('20,000 generated serials come out as one statement with row_number() says', async (t) => {
  const database = await lotSystem(t, { data: false });
  await fill(await database.connect(), { serials: 20_000, seed: 11, alreadyNew: 0.2, empty: 0.1 });
  const wanted = await checksum(database, ORACLE);
  const { summary } = await runLots(t, database);
  assert.equal(await checksum(database, 'SELECT id, lot_id, serial_number FROM serials'), wanted);
  assert.equal(summary.loaded.serials, 20_000);
});
