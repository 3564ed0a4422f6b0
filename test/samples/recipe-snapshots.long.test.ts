import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { document, fill } from '../../samples/recipe-snapshots/generate.js';
import { productionRuns } from '../../samples/recipe-snapshots/system.js';
import { bakery, bakeryContents, bakeryFile } from '../support/bakery.js';
import type { TestDatabase } from '../support/database.js';

/** Loads a document with all tables by the server's own JSON functions. */
async function loadDocument(database: TestDatabase, text: string): Promise<void> {
  await database.query('CREATE TABLE doc AS SELECT $1::jsonb AS d', [text]);
  // Runs and snapshots point to each other: the links come last.
  const columns: Readonly<Record<string, string>> = {
    production_runs: 'id, recipe_id, num_batches, produced_at, notes',
  };
  for (const table of [
    'recipes',
    'ingredients',
    'recipe_ingredients',
    'production_runs',
    'recipe_snapshots',
  ]) {
    const into = columns[table] === undefined ? table : `${table} (${columns[table]})`;
    await database.query(
      `INSERT INTO ${into} SELECT ${columns[table] ?? 'r.*'} FROM doc, jsonb_populate_recordset(NULL::${table}, d -> $1) r`,
      [table],
    );
  }
  await database.query(
    'UPDATE production_runs r SET recipe_snapshot_id = s.id FROM recipe_snapshots s WHERE s.production_run_id = r.id; DROP TABLE doc',
  );
}

test('sample_data.json holds what data.sql makes', async (t) => {
  const fromSql = await bakery(t);
  const fromJson = await bakery(t, { data: false });
  await loadDocument(fromJson, await bakeryFile('sample_data.json'));
  assert.deepEqual(await bakeryContents(fromJson), await bakeryContents(fromSql));
});

test('the independent SQL gives what the expected file has of the sample', async (t) => {
  const database = await bakery(t);
  const rows = await database.query<{ id: number; production_run_id: number }>(
    `SELECT id, production_run_id FROM (${await bakeryFile('expected.sql')}) e ORDER BY id`,
  );
  const ids = (await bakeryFile('expected/recipe_snapshots.csv')).match(/^(\d+),\d+,(\d+),/gm) ?? [];
  assert.deepEqual(
    rows.map((row) => [row.id, row.production_run_id]),
    ids.map((line) => [Number(line.split(',')[0]), Number(line.split(',')[2])]),
  );
});

test('the generator gives the same bytes for the same seed, and others for another', () => {
  const digest = (seed: number) => {
    const hash = createHash('sha256');
    for (const piece of document({ runs: 2000, seed })) hash.update(piece);
    return hash.digest('hex');
  };
  assert.equal(digest(7), digest(7));
  assert.notEqual(digest(7), digest(8));
});

test('the generator makes as many runs as asked for, with every awkward case among them', () => {
  for (const runs of [0, 1, 2000]) {
    const made = [...productionRuns({ runs, seed: 3 })];
    assert.equal(made.length, runs);
    if (runs < 2000) continue;
    const count = (of: (run: (typeof made)[number]) => boolean) => made.filter(of).length;
    assert.equal(
      count((run) => run.recipe_snapshot_id !== null),
      100,
    );
    assert.equal(
      count((run) => run.recipe_id === null),
      10,
    );
    assert.equal(
      count((run) => run.produced_at === null),
      40,
    );
  }
});

test('the generated document holds what the generated database does', async (t) => {
  const options = { runs: 400, seed: 11 };
  const filled = await bakery(t, { data: false });
  await fill(await filled.connect(), options);
  const loaded = await bakery(t, { data: false });
  const text = [...document(options)].join('');
  // The application gives every snapshot a random one.
  const uuid = '00000000-0000-4000-8000-000000000000';
  await loadDocument(loaded, text.replaceAll('"scale_factor":2,', `"scale_factor":2,"uuid":"${uuid}",`));
  await filled.query('UPDATE recipe_snapshots SET uuid = $1', [uuid]);
  assert.deepEqual(await bakeryContents(loaded), await bakeryContents(filled));
});
