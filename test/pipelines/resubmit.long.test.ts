import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sampleFile } from '../../samples/milestones-to-sections/sqlite.js';
import { FILES } from '../../samples/okvet-import/generate.js';
import type { Row } from '../../src/core/row.js';
import type { Source } from '../../src/core/types.js';
import { csv as csvFile } from '../../src/sources/csv/index.js';
import { memory } from '../../src/sources/memory.js';
import { bakery, bakeryFile, document, runRecipes } from '../support/bakery.js';
import { sluice } from '../support/cli.js';
import type { TestDatabase } from '../support/database.js';
import { tempFile, tempFolder } from '../support/files.js';
import { exported, lotSystem, runLots } from '../support/lots.js';
import { machineShop, machining, runTasks } from '../support/machining.js';
import { fromFile, milestoneFile, milestoneSystem, runMilestones } from '../support/milestones.js';
import { practiceDatabase } from '../support/okvet.js';
import { thrown } from '../support/thrown.js';

/** The rejects of batch 1 as somebody has corrected them. */
async function corrected(
  database: TestDatabase,
  correct: (raw: Row, column: string) => Row,
): Promise<Source[]> {
  const rejects = await database.query<{ number: string; raw: Row; column: string }>(
    'SELECT number::text, raw, column_name AS column FROM sluice.migration_reject WHERE batch_id = 1 ORDER BY number',
  );
  assert.ok(rejects.length > 0);
  const rows = rejects.map(({ number, raw, column }) => ({
    ...correct(raw, column),
    sluice_reject: number,
  }));
  return [memory('fixed', rows)];
}

const countOf = async (database: TestDatabase, from: string) =>
  (await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`))[0]?.n;

test('okvet-import: corrected rejects of a file come beside what was imported, though a check reads their file first', async (t) => {
  const database = await practiceDatabase(t);
  const cwd = tempFolder(t);
  cpSync(fileURLToPath(new URL('files', FILES)), join(cwd, 'export'), { recursive: true });
  const run = (command: string) => sluice(command.split(' '), { cwd, env: { DATABASE_URL: database.url } });
  const encodings = '--encoding medical_records=latin1 --encoding appointments=latin1';
  const first = await run(`run okvet-import --source export ${encodings} --max-rejects 60% --execute --yes`);
  assert.equal(first.code, 4, first.stderr);
  const before = await countOf(database, 'pets');
  assert.equal((await run('rejects 1 --into fixed')).code, 0);
  const path = join(cwd, 'fixed', 'pets.csv');
  const lines = readFileSync(path, 'utf8').split('\n');
  const kept = lines.filter((line, at) => at === 0 || /^P-12,/.test(line)).join('\n');
  writeFileSync(path, `${kept.replace('2023-13-45', '2023-12-45')}\n`);
  const again = await run('run okvet-import --source fixed/pets.csv --only-rejects-of 1 --execute --yes');
  assert.equal(again.code, 3, again.stderr);
  assert.match(again.stderr, /1 of 1 row was rejected/);
  writeFileSync(path, readFileSync(path, 'utf8').replace('2023-12-45', '2023-12-04').replace('12345', ''));
  const fed = await run('run okvet-import --source fixed/pets.csv --only-rejects-of 1 --execute --yes');
  assert.equal(fed.code, 0, fed.stderr);
  assert.equal(await countOf(database, 'pets'), (before as number) + 1);
});

test('lot-consolidation: the whole old system is consolidated, the corrected LOT in its place', async (t) => {
  const database = await lotSystem(t);
  const serials = await countOf(database, 'serials');
  const [head, first, ...lines] = await exported(database);
  const lot = (first as string).slice(0, (first as string).indexOf(','));
  const file = tempFile(t, 'serials.csv', [head, (first as string).slice(lot.length), ...lines].join('\n'));
  const originals = async () => ({ serials: csvFile(file) });
  const error = await thrown(runLots(t, database, { inputs: await originals() }));
  assert.equal(error.code, 'too_many_rejects');
  const rows = await corrected(database, (raw) => ({ ...raw, lot_id: lot }));
  await runLots(t, database, { corrected: rows, originals, onlyRejectsOf: '1' });
  assert.equal(await countOf(database, 'serials'), serials);
  const id = (first as string).split(',')[(head as string).split(',').indexOf('serial_id')];
  assert.deepEqual(
    await database.query(
      `SELECT s.lot_id, starts_with(s.serial_number, l.lot_number) AS renumbered FROM serials s JOIN lots l ON l.id = s.lot_id WHERE s.id = ${id}`,
    ),
    [{ lot_id: Number(lot), renumbered: true }],
  );
});

test('milestones-to-sections: the whole old system is carried over, the corrected rows in their places', async (t) => {
  const database = await milestoneSystem(t, { old: false });
  const path = await milestoneFile(t, [await sampleFile('bad/invalid-date.sql')]);
  const originals = async () => fromFile(path);
  const error = await thrown(runMilestones(t, database, { inputs: fromFile(path) }));
  assert.equal(error.code, 'too_many_rejects');
  const rows = await corrected(database, (raw, column) =>
    // A child that was rejected with its parent needs no correction.
    /date/i.test(column) && column in raw ? { ...raw, [column]: '2025-07-01T00:00:00Z' } : raw,
  );
  const { summary } = await runMilestones(t, database, { corrected: rows, originals, onlyRejectsOf: '1' });
  assert.equal(summary.status, 'completed');
  assert.equal(summary.rejected, 0);
});

test('recipe-snapshots: corrected runs get their snapshots beside the others', async (t) => {
  const database = await bakery(t);
  const text = await bakeryFile('sample_data.json');
  const all = JSON.parse(text) as Record<string, { id: number; produced_at: string }[]>;
  const [run] = (all.production_runs ?? []).filter(({ id }) => id === 3);
  assert.ok(run);
  const right = run.produced_at;
  run.produced_at = '2025-02-30T10:00:00';
  const inputs = await document(tempFile(t, 'sample_data.json', JSON.stringify(all)));
  await runRecipes(t, database, { inputs, maxRejects: { rows: 1 } });
  const without = await countOf(database, 'production_runs WHERE id = 3 AND recipe_snapshot_id IS NULL');
  assert.equal(without, 1);
  const rows = await corrected(database, (raw) => ({ ...raw, produced_at: right }));
  await runRecipes(t, database, { corrected: rows, originals: async () => inputs, onlyRejectsOf: '1' });
  assert.equal(
    await countOf(
      database,
      'production_runs r JOIN recipe_snapshots s ON s.id = r.recipe_snapshot_id WHERE r.id = 3 AND s.production_run_id = 3',
    ),
    1,
  );
});

test('tasks-to-operations: its rejects are corrected in the old system, and whoever is told of them is told so', async (t) => {
  const database = await machineShop(t, { sql: await machining('bad/orphan-cost.sql') });
  const error = await thrown(runTasks(t, database));
  assert.equal(error.code, 'too_many_rejects');
  const next = [error.facts.next].flat().join('\n');
  assert.match(
    next,
    /they cannot be resubmitted alone: parts, operations and costs must be those of the old tables/,
  );
  assert.match(
    next,
    /correct the rows in the system that they come from, then: sluice run tasks-to-operations/,
  );
  await database.query(
    "DELETE FROM machining_jobcostagg WHERE task_id = 'M-0999'; DELETE FROM machining_jobcostagguser WHERE task_id = 'M-0999'",
  );
  assert.equal((await runTasks(t, database)).summary.status, 'completed');
});
