import { append, flow, patch, pipeline } from 'sluice';
import { report } from 'sluice/sinks';
import { figures } from './figures.js';
import { recipeHistory } from './history.js';
import { ingredients, productionRuns, recipeIngredients, recipes } from './inputs.js';
import {
  everyRunAccountedFor,
  noUnlinkedSnapshots,
  orphansReported,
  recipesExist,
  runsHaveNoneYet,
  snapshotForEveryRun,
} from './questions.js';
import { linked, makeSnapshots, SNAPSHOT_COLUMNS, type Snapshot } from './snapshot.js';
import { withoutSnapshot } from './unmigrated.js';

const snapshots = report<Snapshot>('snapshots', () => ({
  columns: ['production_run_id', 'recipe_id', 'recipe_name', 'id', 'snapshot_date'],
}));

export default pipeline({
  name: 'recipe-snapshots',
  summary: 'A snapshot of its recipe for every production run that has none, marked as backfilled',
  inputs: {
    recipes,
    ingredients,
    recipe_ingredients: recipeIngredients,
    production_runs: productionRuns,
  },
  tables: {
    snapshots: append('recipe_snapshots', {
      columns: SNAPSHOT_COLUMNS,
      whenMissing:
        'let the application’s own upgrade make it first; samples/recipe-snapshots/schema.sql shows what it must be like',
    }),
    runs: patch('production_runs', { key: ['id'], columns: ['id', 'recipe_snapshot_id'] }),
  },
  // The ids of the snapshots go on from the largest that is there.
  guards: ['recipe_snapshots'],
  views: [recipeHistory],
  warnings: [
    'this will modify the database: recipe_snapshots gets rows, and production_runs is linked to them',
    'back up the database first: pg_dump -Fc -f before-recipe-snapshots.dump …',
  ],
  checks: [orphansReported, noUnlinkedSnapshots],
  flows: ({ inputs, tables }) => [
    flow(inputs.production_runs)
      .through(withoutSnapshot, makeSnapshots(inputs))
      .fork(
        (rows) => rows.into(tables.snapshots),
        (rows) => rows.through(linked).into(tables.runs),
        (rows) => rows.into(snapshots),
      ),
  ],
  validations: [everyRunAccountedFor, snapshotForEveryRun, runsHaveNoneYet, recipesExist],
  figures,
});
