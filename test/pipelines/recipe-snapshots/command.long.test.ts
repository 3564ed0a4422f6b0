import assert from 'node:assert/strict';
import { test } from 'node:test';
import recipeSnapshots from '../../../pipelines/recipe-snapshots/index.js';
import { givenInputs, resumedInputs } from '../../../src/cli/given/inputs.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import type { Source } from '../../../src/core/types.js';
import { bakery, bakeryContents, document, runRecipes, SAMPLE_JSON } from '../../support/bakery.js';
import { sluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { openDatabase } from '../../support/lots.js';
import { rowsOf } from '../../support/run.js';

test('the command warns before it writes, and needs a yes where nobody can be asked; its figures are JSON', async (t) => {
  const database = await bakery(t);
  const before = await bakeryContents(database);
  const options = { cwd: tempFolder(t), env: { SLUICE_DATABASE_URL: database.url } };
  const args = ['run', 'recipe-snapshots', '--source', SAMPLE_JSON];
  const asked = await sluice(args, options);
  assert.equal(asked.code, 2);
  assert.match(
    asked.stderr,
    /warning: this will modify the database[\s\S]*back up the database first: pg_dump/,
  );
  assert.deepEqual(await bakeryContents(database), before);
  const dry = await sluice([...args, '--dry-run'], options);
  assert.equal(dry.code, 0);
  assert.doesNotMatch(dry.stderr, /will modify the database/);
  assert.match(dry.stderr, /view public\.recipe_history: made with the publish/);
  const done = await sluice([...args, '--yes', '--json'], options);
  assert.equal(done.code, 0, done.stderr);
  const figures = { total_runs: 11, already_migrated: 1, migrated: 8, skipped_no_recipe: 3, errors: 0 };
  assert.deepEqual(JSON.parse(done.stdout).figures, figures);
  assert.match(done.stderr, /already migrated +1\n +migrated +8\n/);
});

const lengths = async (inputs: Readonly<Record<string, Source>>) =>
  Object.fromEntries(
    await Promise.all(
      Object.entries(inputs).map(async ([name, source]) => [name, (await rowsOf(source)).length]),
    ),
  );

test('one document is every input, and one of them may come from elsewhere; a resumed run finds them again', async (t) => {
  const all = { recipes: 6, ingredients: 6, recipe_ingredients: 12, production_runs: 12 };
  assert.deepEqual(await lengths(await document(SAMPLE_JSON)), all);
  const other = await givenInputs(recipeSnapshots, { source: SAMPLE_JSON, input: ['recipes=recipes.csv'] });
  assert.deepEqual([other.recipes?.name, other.ingredients?.name], ['recipes.csv', SAMPLE_JSON]);
  await assert.rejects(
    givenInputs(recipeSnapshots, { input: [], source: '-' }),
    (error: SluiceError) =>
      error instanceof SluiceError && /save it to a file/.test(String(error.facts.next)),
  );
  const database = await bakery(t);
  const { summary } = await runRecipes(t, database, { inputs: await document(SAMPLE_JSON) });
  const resumed = await resumedInputs(openDatabase(t, database), recipeSnapshots, summary.batch ?? '', {
    input: [],
    set: [],
  });
  assert.deepEqual(await lengths(resumed), all);
});
