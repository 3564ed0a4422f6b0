import {
  again,
  type Check,
  check,
  nothingLost,
  offenders,
  orMore,
  type Validation,
  validation,
} from 'sluice';
import { ALREADY_MIGRATED } from './unmigrated.js';

/** Runs whose recipe is gone, and lines whose ingredient is. Asked of the tables, where they are the input. */
export const orphansReported: Check = check(
  'orphans-reported',
  'runs whose recipe was deleted, and recipes with deleted ingredients, are named',
  async ({ database, live, replaced }) => {
    if (replaced('production_runs') || replaced('recipes')) return [];
    const runs = await database.query(
      `SELECT r.id, r.recipe_id, r.produced_at::text FROM ${live('runs')} r
       WHERE r.recipe_snapshot_id IS NULL AND NOT EXISTS (SELECT FROM recipes WHERE id = r.recipe_id)
       ORDER BY r.id LIMIT 1000`,
    );
    const lines = await database.query(
      `SELECT c.id AS recipe, c.name, string_agg(l.id::text, ', ' ORDER BY l.id) AS lines, count(*) AS n
       FROM recipe_ingredients l JOIN recipes c ON c.id = l.recipe_id
       WHERE NOT EXISTS (SELECT FROM ingredients WHERE id = l.ingredient_id)
       GROUP BY c.id, c.name ORDER BY c.id LIMIT 1000`,
    );
    return [
      ...offenders(
        runs,
        (n) =>
          `the recipe of ${n === 1 ? 'a run' : `${orMore(n)} runs`} is not there any more: no snapshot can be made, and ${n === 1 ? 'it is' : 'they are'} skipped`,
        (run) =>
          `run ${run.id}: recipe ${run.recipe_id ?? 'NULL'}, produced ${run.produced_at ?? 'nobody knows when'}`,
        { severity: 'warning' },
      ),
      ...offenders(
        lines,
        (n) =>
          `${n === 1 ? 'a recipe has' : `${orMore(n)} recipes have`} ingredients that are not there any more: their snapshots call them "Unknown"`,
        (recipe) =>
          `recipe ${recipe.recipe} (${recipe.name}): ${recipe.n === '1' ? 'line' : 'lines'} ${recipe.lines}`,
        { severity: 'warning' },
      ),
    ];
  },
);

/** A second snapshot of a run would make its history ambiguous, and the table allows one. */
export const noUnlinkedSnapshots: Check = check(
  'no-unlinked-snapshots',
  'no run without a snapshot has one that points to it',
  async ({ database, live }) =>
    offenders(
      await database.query(
        `SELECT r.id, min(s.id) AS snapshot FROM ${live('runs')} r JOIN ${live('snapshots')} s ON s.production_run_id = r.id
         WHERE r.recipe_snapshot_id IS NULL GROUP BY r.id ORDER BY r.id LIMIT 1000`,
      ),
      (n) =>
        `${n === 1 ? 'a run does' : `${orMore(n)} runs do`} not point to a snapshot, while a snapshot points to ${n === 1 ? 'it' : 'them'}`,
      (row) => `run ${row.id}: snapshot ${row.snapshot}`,
      {
        next: 'UPDATE production_runs r SET recipe_snapshot_id = s.id FROM recipe_snapshots s WHERE s.production_run_id = r.id AND r.recipe_snapshot_id IS NULL;',
      },
    ),
);

/** Asked of the runs themselves, past the flow: none is left out without being counted. */
export const everyRunAccountedFor: Validation = nothingLost({
  name: 'every-run-accounted-for',
  summary: 'every run has a snapshot, or stands among those that were skipped or rejected',
  one: 'run',
  input: 'production_runs',
  key: 'id',
  table: 'runs',
  expected: [ALREADY_MIGRATED],
});

/** The two tables must say the same, also where the server has refused a row of one of them. */
export const snapshotForEveryRun: Validation = validation(
  'snapshot-for-every-run',
  'every run that is linked has its snapshot, and every snapshot its run',
  async ({ database, staged, published, asWritten }) =>
    offenders(
      await database.query(
        published
          ? // Live has runs that were never linked, and the application links others.
            `SELECT r.id AS run, s.id AS snapshot, r.recipe_snapshot_id AS link
             FROM ${staged('runs')} r LEFT JOIN ${staged('snapshots')} s ON s.id = r.recipe_snapshot_id
             WHERE ${asWritten('runs', 'r')} AND s.production_run_id IS DISTINCT FROM r.id
             UNION ALL
             SELECT s.production_run_id, s.id, r.recipe_snapshot_id
             FROM ${staged('snapshots')} s JOIN ${staged('runs')} r ON r.id = s.production_run_id
             WHERE ${asWritten('snapshots', 's')} AND ${asWritten('runs', 'r')} AND r.recipe_snapshot_id IS DISTINCT FROM s.id
             ORDER BY 1 LIMIT 1000`
          : `SELECT coalesce(r.id, s.production_run_id) AS run, s.id AS snapshot, r.recipe_snapshot_id AS link
             FROM ${staged('snapshots')} s
             FULL JOIN ${staged('runs')} r ON r.id = s.production_run_id AND r.recipe_snapshot_id = s.id
             WHERE s.id IS NULL OR r.id IS NULL ORDER BY 1 LIMIT 1000`,
      ),
      (n) =>
        `${n === 1 ? 'a run and its snapshot do' : `${orMore(n)} runs and snapshots do`} not belong together`,
      (row) => `run ${row.run}: snapshot ${row.snapshot ?? 'missing'}, link ${row.link ?? 'missing'}`,
      { next: 'a row was refused on its way into one of the tables: it is among the rejects' },
    ),
);

export const runsHaveNoneYet: Validation = validation(
  'runs-have-none-yet',
  'no run that is linked has a snapshot already',
  async ({ database, staged, live, published }) =>
    offenders(
      // Once published, they have those of the batch.
      await database.query(
        `SELECT r.id, o.recipe_snapshot_id AS link FROM ${staged('runs')} r JOIN ${live('runs')} o ON o.id = r.id
         WHERE ${!published} AND o.recipe_snapshot_id IS NOT NULL ORDER BY 1 LIMIT 1000`,
      ),
      (n) => `${n === 1 ? 'a run has' : `${orMore(n)} runs have`} got a snapshot since the input was read`,
      (row) => `run ${row.id}: snapshot ${row.link}`,
      { next: again({}, { note: 'what has a snapshot now is left as it is' }) },
    ),
);

export const recipesExist: Validation = validation(
  'recipes-exist',
  'the recipe of every snapshot is in the table recipes',
  // What becomes of a recipe afterwards is what snapshots are for.
  async ({ database, staged, published }) =>
    offenders(
      await database.query(
        `SELECT s.recipe_id AS recipe, count(*) AS snapshots FROM ${staged('snapshots')} s
         WHERE ${!published} AND NOT EXISTS (SELECT FROM recipes WHERE id = s.recipe_id) GROUP BY 1 ORDER BY 1 LIMIT 1000`,
      ),
      (n) =>
        `${n === 1 ? 'a recipe' : `${orMore(n)} recipes`} of the input ${n === 1 ? 'is' : 'are'} not in the table recipes`,
      (row) => `recipe ${row.recipe}: ${row.snapshots} snapshots`,
      {
        next: [
          'is the document of this database? Export it again',
          again({ drop: ['source', 'input'] }, { lead: 'or read the tables themselves' }),
        ],
      },
    ),
);
