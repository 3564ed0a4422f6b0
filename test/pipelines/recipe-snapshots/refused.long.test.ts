import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import {
  bakery,
  bakeryContents,
  bakeryFile,
  document,
  runRecipes,
  SAMPLE_JSON,
} from '../../support/bakery.js';
import type { TestDatabase } from '../../support/database.js';
import { tempFile } from '../../support/files.js';
import { leftGuards, leftSchemas } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

type Test = Parameters<typeof runRecipes>[0];
type Document = Record<string, Record<string, unknown>[]>;

/** The run must be refused and leave everything as it was; the error. */
async function refused(t: Test, database: TestDatabase, inputs = {}): Promise<SluiceError> {
  const before = await bakeryContents(database);
  const error = await thrown(runRecipes(t, database, { inputs }));
  assert.ok((error as SluiceError).facts?.next !== undefined, `${error} says what to do next`);
  assert.deepEqual(await bakeryContents(database), before);
  assert.deepEqual(await leftGuards(database), []);
  assert.deepEqual(await leftSchemas(database), []);
  return error as SluiceError;
}

const lines = ({ message, facts: { details = [], next = [] } }: SluiceError) =>
  [message, ...details, ...[next].flat()].join('\n');

/** The sample's document after `change`, as the inputs. */
async function changed(t: Test, change: (of: Document) => void) {
  const of = JSON.parse(await bakeryFile('sample_data.json')) as Document;
  change(of);
  return document(tempFile(t, 'sample_data.json', JSON.stringify(of)));
}

const run = (of: Document, id: number) =>
  of.production_runs?.find((each) => each.id === id) as Record<string, unknown>;

test('without the target table, or a column of it, the run is refused by its name', async (t) => {
  const database = await bakery(t);
  await database.query('ALTER TABLE recipe_snapshots RENAME COLUMN is_backfilled TO backfilled');
  assert.match(
    lines(await refused(t, database)),
    /the table public\.recipe_snapshots has no column "is_backfilled"[\s\S]*did you mean backfilled\?/,
  );
  await database.query(
    'ALTER TABLE production_runs DROP COLUMN recipe_snapshot_id; DROP TABLE recipe_snapshots',
  );
  const error = await thrown(runRecipes(t, database));
  assert.match(
    lines(error as SluiceError),
    /there is no table recipe_snapshots in this database[\s\S]*let the application’s own upgrade make it first/,
  );
});

test('without an old table, or a column of it, the run is refused by its name', async (t) => {
  const database = await bakery(t, { sql: 'ALTER TABLE recipes RENAME yield_unit TO unit_of_yield' });
  assert.match(lines(await refused(t, database)), /input recipes[\s\S]*column r\.yield_unit does not exist/);
  await database.query('ALTER TABLE ingredients RENAME TO ingredients_old');
  const error = await thrown(runRecipes(t, database));
  assert.match(
    lines(error as SluiceError),
    /input ingredients: .*relation "ingredients" does not exist[\s\S]*check that --database-url names the right database/,
  );
});

test('a document without one of the tables names what it has', async (t) => {
  const database = await bakery(t);
  const inputs = await changed(t, (of) => {
    of.recipe_ingredient = of.recipe_ingredients ?? [];
    delete of.recipe_ingredients;
  });
  const said = lines(await refused(t, database, inputs));
  assert.match(said, /input recipe_ingredients: .*sample_data\.json has no array at recipe_ingredients/);
  assert.match(said, /arrays in it: .*recipe_ingredient/);
  assert.match(said, /--at recipe_ingredient/);
});

test('a column that no record of the document has is refused, with the one that is meant', async (t) => {
  const database = await bakery(t);
  const inputs = await changed(t, (of) => {
    for (const each of of.production_runs ?? []) {
      each.producedAt = each.produced_at;
      delete each.produced_at;
    }
  });
  const said = lines(await refused(t, database, inputs));
  assert.match(
    said,
    /none of the 12 records of production_runs in .*sample_data\.json has a column produced_at/,
  );
  assert.match(said, /is producedAt meant\?/);
});

test('a document that is no JSON is refused with the line', async (t) => {
  const database = await bakery(t);
  const text = (await bakeryFile('sample_data.json')).replace(
    '{"id": 9, "recipe_id": 5',
    '{"id": 9 "recipe_id": 5',
  );
  const error = await refused(t, database, await document(tempFile(t, 'sample_data.json', text)));
  assert.match(lines(error), /is not valid JSON at line 15/);
});

test('runs that are not those of the table are rejects, each with its reason', async (t) => {
  const database = await bakery(t);
  const inputs = await changed(t, (of) => {
    run(of, 1).recipe_id = 2;
    run(of, 3).produced_at = '2025-02-30T10:00:00';
    run(of, 7).id = 4711;
    run(of, 8).id = null;
  });
  const error = await refused(t, database, inputs);
  assert.match(error.message, /^4 of 12 rows were rejected/);
  const stored = await database.query('SELECT line::int, reason FROM sluice.migration_reject ORDER BY line');
  assert.deepEqual(stored, [
    { line: 1, reason: 'recipe_differs' },
    { line: 3, reason: 'bad_produced_at' },
    { line: 7, reason: 'run_not_in_table' },
    { line: 8, reason: 'missing_run_id' },
  ]);
});

test('a quantity that is no number is an error of every run of that recipe; the others go, where allowed', async (t) => {
  const database = await bakery(t, { sql: 'UPDATE recipe_ingredients SET quantity = NULL WHERE id = 11' });
  const said = lines(await refused(t, database));
  assert.match(
    said,
    /run 9: no snapshot can be made of recipe 5: the quantity NULL of its line 11 is no number/,
  );
  const { summary } = await runRecipes(t, database, { maxRejects: { rows: 2 } });
  assert.deepEqual(summary.figures, {
    ...{ total_runs: 11, already_migrated: 1, migrated: 6, skipped_no_recipe: 3, errors: 2 },
  });
});

test('a run that a snapshot points to, though it does not point back, is refused with the way out', async (t) => {
  const database = await bakery(t, {
    sql: 'UPDATE production_runs SET recipe_snapshot_id = NULL WHERE id = 6',
  });
  const error = await refused(t, database);
  assert.match(lines(error), /no-unlinked-snapshots[\s\S]*run 6: snapshot 10/);
  await database.query([error.facts.next].flat()[0] as string);
  await runRecipes(t, database);
});

test('a recipe that the document has twice is refused: nobody could tell which is meant', async (t) => {
  const database = await bakery(t);
  const inputs = await changed(t, (of) => of.recipes?.push({ ...of.recipes[0] }));
  assert.match(
    lines(await refused(t, database, inputs)),
    /"Sugar Cookies" has the id 1, which another one has, too/,
  );
});

test('a recipe that only the document has is refused before the snapshots go live', async (t) => {
  const database = await bakery(t);
  await database.query('UPDATE production_runs SET recipe_id = 77 WHERE id = 1');
  const inputs = await changed(t, (of) => {
    run(of, 1).recipe_id = 77;
    of.recipes?.push({ ...of.recipes[0], id: 77 });
  });
  assert.match(
    lines(await refused(t, database, inputs)),
    /foreign_key_violation: 2[\s\S]*recipe_id is "77"; expected: id of a row of public\.recipes/,
  );
});

test('a snapshot that the application makes during the load stops the publish', async (t) => {
  const database = await bakery(t);
  const { recipes } = await document(SAMPLE_JSON);
  assert.ok(recipes !== undefined);
  const inputs = {
    recipes: {
      ...recipes,
      async *read(of: Parameters<typeof recipes.read>[0]) {
        // The check looks at the beginning of a file, too; this is about the load.
        if (of.batch !== undefined)
          await database.query(
            `INSERT INTO production_runs (id, recipe_id) VALUES (21, 1);
           INSERT INTO recipe_snapshots (recipe_id, production_run_id, recipe_data, ingredients_data) VALUES (1, 21, '{}', '[]');
           UPDATE production_runs SET recipe_snapshot_id = 11 WHERE id = 21`,
          );
        yield* recipes.read(of);
      },
    },
  };
  const error = await thrown(runRecipes(t, database, { inputs }));
  assert.match(
    (error as SluiceError).code ?? '',
    /^(live_written_during_load|too_many_rejects|validation_refused)$/,
  );
  const [row] = await database.query('SELECT count(*)::int AS n FROM recipe_snapshots');
  assert.deepEqual(row, { n: 2 });
});
