import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { document as documentOf, fill } from '../../../samples/recipe-snapshots/generate.js';
import {
  bakery,
  bakeryContents,
  bakeryFile,
  document,
  rollBack,
  runRecipes,
  SAMPLE_JSON,
  snapshots,
} from '../../support/bakery.js';
import type { TestDatabase } from '../../support/database.js';
import { tempFile } from '../../support/files.js';
import { catalog, leftGuards, leftSchemas } from '../../support/lots.js';

const FIGURES = { total_runs: 11, already_migrated: 1, migrated: 8, skipped_no_recipe: 3, errors: 0 };

const links = (database: TestDatabase) =>
  database.query<{ id: number; recipe_snapshot_id: number | null }>(
    'SELECT id, recipe_snapshot_id FROM production_runs ORDER BY id',
  );

/** The file was written by the work package’s own Python function, run over sample_data.json. */
async function expectedSnapshots() {
  const rows = parse(await bakeryFile('expected/recipe_snapshots.csv'), { columns: true }) as Record<
    string,
    string
  >[];
  return rows.map((row) => ({
    ...row,
    id: Number(row.id),
    recipe_id: Number(row.recipe_id),
    production_run_id: Number(row.production_run_id),
    // A double precision shows no point.
    scale_factor: '1',
  }));
}

async function assertMigrated(database: TestDatabase): Promise<void> {
  assert.deepEqual(await snapshots(database), await expectedSnapshots());
  const rows = parse(await bakeryFile('expected/production_runs.csv'), { columns: true }) as Record<
    string,
    string
  >[];
  assert.deepEqual(
    await links(database),
    rows.map(({ id, recipe_snapshot_id: link }) => ({
      id: Number(id),
      recipe_snapshot_id: link === '' ? null : Number(link),
    })),
  );
}

test('integers of the table stay integers, and floats are floats, from the tables and from a document', async (t) => {
  for (const source of ['tables', 'document']) {
    const database = await bakery(t, {
      sql: `ALTER TABLE recipes ALTER yield_quantity TYPE integer, ALTER estimated_time_minutes TYPE numeric(8,2),
              ALTER yield_unit TYPE bigint USING 12;
            UPDATE recipe_ingredients SET quantity = 2;`,
    });
    const text = (await bakeryFile('sample_data.json'))
      .replace(/"yield_quantity": \d+(\.\d+)?/g, '"yield_quantity": 24')
      .replace(/"yield_unit": "[^"]*"/g, '"yield_unit": 12')
      .replace(/"quantity": [\d.e+-]+/g, '"quantity": 2');
    const inputs =
      source === 'tables' ? {} : { inputs: await document(tempFile(t, 'sample_data.json', text)) };
    await runRecipes(t, database, inputs);
    const [first] = (await snapshots(database)) as { recipe_data: string; ingredients_data: string }[];
    assert.match(first?.recipe_data ?? '', /"yield_quantity": \d+, "yield_unit": 12, /, source);
    assert.match(first?.recipe_data ?? '', /"estimated_time_minutes": \d+\.0, /, source);
    assert.match(first?.ingredients_data ?? '', /"quantity": 2\.0, /, source);
  }
});

test('a dry run changes nothing, not even by a view, and counts what would be migrated', async (t) => {
  const database = await bakery(t);
  const before = [await bakeryContents(database), await catalog(database)];
  const { summary } = await runRecipes(t, database, { dryRun: true });
  assert.deepEqual([await bakeryContents(database), await catalog(database)], before);
  assert.deepEqual(summary.figures, FIGURES);
});

test('a rehearsal makes the view, too, and takes all of it back', async (t) => {
  const database = await bakery(t);
  const before = [await bakeryContents(database), await catalog(database, false)];
  const { summary } = await runRecipes(t, database, { rehearse: true });
  assert.equal(summary.status, 'rehearsed');
  assert.deepEqual([await bakeryContents(database), await catalog(database, false)], before);
});

test('snapshots come out to the byte as the document’s own function writes them', async (t) => {
  const database = await bakery(t);
  const from = Date.now();
  const { summary } = await runRecipes(t, database);
  await assertMigrated(database);
  assert.deepEqual(summary.figures, FIGURES);
  assert.deepEqual(summary.loaded, { recipe_snapshots: 8, production_runs: 8 });
  const [undated] = await database.query<{ ms: number }>(
    "SELECT extract(epoch FROM snapshot_date AT TIME ZONE 'utc')::float8 * 1000 AS ms FROM recipe_snapshots WHERE production_run_id = 2",
  );
  // The server's clock is this machine's, or near it.
  assert.ok(
    Math.abs((undated?.ms ?? 0) - from) < 3_600_000,
    'a run without a date has the moment of the run',
  );
  const [kept] = await database.query(
    'SELECT scale_factor, is_backfilled FROM recipe_snapshots WHERE id = 10',
  );
  assert.deepEqual(kept, { scale_factor: 2, is_backfilled: false });
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), [`sluice_old_${summary.batch}`]);
  // The next snapshot of the application gets the next id.
  const [next] = await database.query(
    `INSERT INTO recipe_snapshots (recipe_id, production_run_id, recipe_data, ingredients_data) VALUES (1, 4, '{}', '[]') RETURNING id`,
  );
  assert.deepEqual(next, { id: 19 });
});

test('the document with all tables gives the same, to the byte', async (t) => {
  const database = await bakery(t);
  const { summary } = await runRecipes(t, database, { inputs: await document(SAMPLE_JSON) });
  await assertMigrated(database);
  assert.deepEqual(summary.figures, FIGURES);
});

test('runs whose recipe is gone are warned of, listed, logged and left as they are', async (t) => {
  const database = await bakery(t);
  const { summary, said, logged } = await runRecipes(t, database);
  assert.match(said.join('\n'), /orphans-reported: the recipe of 3 runs is not there any more/);
  assert.match(said.join('\n'), /a recipe has ingredients that are not there any more.*"Unknown"/);
  const report = summary.reports.find(({ name }) => name === 'runs without a recipe');
  assert.deepEqual(report?.rows, [
    ['4', '6', '2025-11-04 09:00:00'],
    ['5', '', '2025-11-05 09:00:00'],
    ['12', '6', ''],
  ]);
  assert.match(report?.summary[0] ?? '', /^warning: .* 3 runs/);
  const skipped = logged.filter(({ level, message }) => level === 'warn' && /run skipped/.test(message));
  assert.deepEqual(
    skipped.map(({ facts }) => facts.run_id),
    ['4', '5', '12'],
  );
});

test('a second run changes nothing, from the tables or from the document that is older than they', async (t) => {
  const database = await bakery(t);
  await runRecipes(t, database);
  const before = [await bakeryContents(database), await catalog(database, false)];
  for (const inputs of [{}, await document(SAMPLE_JSON)]) {
    const { summary } = await runRecipes(t, database, { inputs });
    assert.equal(summary.status, 'unchanged');
    assert.deepEqual(summary.figures, { ...FIGURES, total_runs: 3, already_migrated: 9, migrated: 0 });
    assert.deepEqual([await bakeryContents(database), await catalog(database, false)], before);
  }
});

test('runs added since are migrated, and nothing else is touched', async (t) => {
  const database = await bakery(t);
  await runRecipes(t, database);
  const before = await snapshots(database);
  await database.query(
    "INSERT INTO production_runs (recipe_id, produced_at) VALUES (1, '2026-01-05 07:00:00')",
  );
  const { summary } = await runRecipes(t, database);
  assert.equal(summary.figures.migrated, 1);
  assert.deepEqual((await snapshots(database)).slice(0, -1), before);
});

test('the view shows every snapshot, and calls the backfilled ones approximated', async (t) => {
  const database = await bakery(t);
  await runRecipes(t, database);
  const rows = await database.query(
    'SELECT recipe_name, snapshot_id, label FROM recipe_history WHERE recipe_id = 3 ORDER BY snapshot_date DESC',
  );
  assert.deepEqual(rows, [
    { recipe_name: 'Creme brulee', snapshot_id: 10, label: '' },
    { recipe_name: 'Crème brûlée 🍮', snapshot_id: 14, label: '(approximated)' },
  ]);
});

test('columns of other types serve: jsonb, timestamptz, no variant_name', async (t) => {
  const database = await bakery(t, {
    sql: `ALTER TABLE recipe_snapshots ALTER recipe_data TYPE jsonb USING recipe_data::jsonb,
            ALTER ingredients_data TYPE jsonb USING ingredients_data::jsonb;
          ALTER TABLE recipe_snapshots ALTER snapshot_date DROP DEFAULT,
            ALTER snapshot_date TYPE timestamptz USING snapshot_date AT TIME ZONE 'utc';
          ALTER TABLE recipes DROP COLUMN variant_name`,
  });
  await database.query(`ALTER ROLE CURRENT_USER IN DATABASE ${database.name} SET TimeZone = 'Asia/Tokyo'`);
  await runRecipes(t, database);
  const [row] = await database.query(
    `SELECT snapshot_date = '2025-11-01 08:30:00+00' AS utc, recipe_data -> 'variant_name' AS variant,
            ingredients_data -> 0 -> 'quantity' AS quantity
     FROM recipe_snapshots WHERE production_run_id = 1`,
  );
  assert.deepEqual(row, { utc: true, variant: null, quantity: 2.5 });
});

test('3,000 generated runs come out as independent SQL says, from the tables and from the document', async (t) => {
  const options = { runs: 3000, seed: 5 };
  const database = await bakery(t, { data: false });
  await fill(await database.connect(), options);
  await database.query(`CREATE TABLE wanted AS ${await bakeryFile('expected.sql')}`);
  const path = tempFile(t, 'sample_data.json', [...documentOf(options)].join(''));
  for (const inputs of [{}, await document(path)]) {
    const { summary } = await runRecipes(t, database, { inputs });
    const [compared] = await database.query(
      `SELECT count(w.id)::int AS wanted, count(g.id)::int AS got, count(*) FILTER (WHERE w IS DISTINCT FROM g)::int AS different
       FROM wanted w FULL JOIN (${await bakeryFile('got.sql')}) g ON g.id = w.id`,
    );
    assert.deepEqual(compared, { wanted: 2820, got: 2820, different: 0 });
    assert.deepEqual(summary.figures, {
      ...{ total_runs: 2850, already_migrated: 150, migrated: 2820, skipped_no_recipe: 30, errors: 0 },
    });
    await rollBack(t, database, summary.batch);
  }
});
