import { markOrigin, named, originOf, type Run, type Stage } from 'sluice';
import { map } from 'sluice/transforms';
import { idOf, type OldRun } from './inputs.js';
import { type BookInputs, type Page, readRecipeBook } from './recipe-book.js';
import { utcText, utcTimestamp } from './utc.js';

export const SNAPSHOT_COLUMNS = [
  'id',
  'recipe_id',
  'production_run_id',
  'scale_factor',
  'snapshot_date',
  'recipe_data',
  'ingredients_data',
  'is_backfilled',
] as const;

/** A row of recipe_snapshots, with what the report shows beside it. */
export type Snapshot = Readonly<Record<(typeof SNAPSHOT_COLUMNS)[number] | 'recipe_name', string>>;

/** The reason under which runs are counted whose recipe is not there any more. */
export const NO_RECIPE = 'no_recipe';

const ORPHANS = 'runs without a recipe';
const ORPHAN_COLUMNS = ['run_id', 'recipe_id', 'produced_at'] as const;

/** Runs without a recipe that the report names; --reports-into and the log name all. */
const NAMED_RUNS = 200;

/**
 * Makes each run's snapshot out of its recipe as it is now. Runs whose recipe is gone are left as they are,
 * counted, and named in the report `runs without a recipe` and the log. Rejects: recipe_unreadable,
 * bad_produced_at.
 *
 * The ids go on from the largest in recipe_snapshots, one for each snapshot in the order of the runs, before
 * the rows part: both tables then tell of the same id, and a dry run, a load that is resumed and a run after a
 * rollback count alike. The write guard on recipe_snapshots sees to it that nobody else takes one of them.
 */
export function makeSnapshots(inputs: BookInputs): Stage<OldRun, Snapshot> {
  return named('make snapshots', async function* (rows, run) {
    const book = await readRecipeBook(inputs, run);
    let last = await largestId(run);
    const now = utcText(run.startedAt);
    const orphans: string[][] = [];
    let skipped = 0;
    for await (const chunk of rows) {
      const out: Snapshot[] = [];
      const before = skipped;
      for (const row of chunk) {
        const page = book.get(idOf(row.recipe_id) ?? '');
        if (page === undefined) {
          skipped += 1;
          const told = [row.id, row.recipe_id, row.produced_at].map((value) => String(value ?? ''));
          run.reportRows(ORPHANS, ORPHAN_COLUMNS, [told]);
          if (orphans.length < NAMED_RUNS) orphans.push(told);
          run.log.warn('run skipped: its recipe is not there', {
            run_id: row.id,
            recipe_id: row.recipe_id ?? null,
          });
          continue;
        }
        const made = snapshotOf(row, page, String(last + 1), now, run);
        if (made === undefined) continue;
        last += 1;
        out.push(made);
      }
      if (skipped > before) run.skip(NO_RECIPE, skipped - before);
      if (out.length > 0) yield out;
    }
    if (skipped > 0)
      run.report({
        name: ORPHANS,
        columns: ORPHAN_COLUMNS,
        rows: orphans,
        more: skipped - orphans.length,
        summary: [
          skipped === 1
            ? 'warning: the recipe of one run is not there any more: it is left as it is, without a snapshot'
            : `warning: the recipes of ${skipped} runs are not there any more: they are left as they are, without snapshots`,
        ],
      });
  });
}

function snapshotOf(row: OldRun, page: Page, id: string, now: string, run: Run): Snapshot | undefined {
  const runId = String(row.id);
  const recipe = String(row.recipe_id);
  const who = { recordType: 'production run', sourceId: runId };
  if ('wrong' in page) {
    const message = `run ${runId}: no snapshot can be made of recipe ${recipe}: ${page.wrong}`;
    run.reject(row, { reason: 'recipe_unreadable', message, ...who });
    return undefined;
  }
  const { produced_at } = row;
  const date = produced_at === null || produced_at === undefined ? now : utcTimestamp(produced_at);
  if (date === undefined) {
    run.reject(row, {
      reason: 'bad_produced_at',
      column: 'produced_at',
      value: produced_at,
      expected: 'a timestamp such as 2025-11-01T08:30:00, UTC where it names no offset',
      ...who,
    });
    return undefined;
  }
  const made: Snapshot = {
    id,
    recipe_id: recipe,
    production_run_id: runId,
    // Old runs had no scale factor; the flag says that the recipe may have been another then.
    scale_factor: '1.0',
    snapshot_date: date,
    recipe_data: page.recipe_data,
    ingredients_data: page.ingredients_data,
    is_backfilled: 'true',
    recipe_name: page.name,
  };
  return markOrigin(made, originOf(row));
}

async function largestId(run: Run): Promise<number> {
  const [row] = await run.database.query<{ top: string }>(
    'SELECT coalesce(max(id), 0)::text AS top FROM recipe_snapshots',
  );
  return Number(row?.top);
}

/** What a run is patched with. */
export const linked = map(
  (row: Snapshot) => ({ id: row.production_run_id, recipe_snapshot_id: row.id }),
  'link runs',
);
