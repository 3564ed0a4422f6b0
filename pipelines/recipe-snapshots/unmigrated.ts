import { jsonText, named, type Rejection, type Run, type Stage } from 'sluice';
import { idOf, type OldRun } from './inputs.js';

/** The reason under which runs that have a snapshot are counted. */
export const ALREADY_MIGRATED = 'already_migrated';

/** What production_runs holds of a run now. */
interface Live {
  readonly id: string;
  readonly recipe: string | null;
  readonly link: string | null;
  readonly snapshot: string | null;
}

/**
 * Leaves out the runs that have a snapshot, by the input or by what production_runs says now: a document may
 * be older than the table, and whatever was migrated since is never touched. Asks once a chunk. Rejects:
 * missing_run_id, run_not_in_table, recipe_differs, snapshot_not_linked.
 */
export const withoutSnapshot: Stage<OldRun> = named('without a snapshot', async function* (rows, run) {
  for await (const chunk of rows) {
    const out: OldRun[] = [];
    let already = 0;
    const ids = chunk.flatMap((row) => (absent(row.recipe_snapshot_id) ? (idOf(row.id) ?? []) : []));
    const live = ids.length === 0 ? new Map<string, Live>() : await lookAt(ids, run);
    for (const row of chunk) {
      const found = live.get(idOf(row.id) ?? '');
      if (!absent(row.recipe_snapshot_id) || (found !== undefined && found.link !== null)) {
        already += 1;
        continue;
      }
      const wrong = judge(row, found);
      if (wrong === undefined) out.push(row);
      else run.reject(row, { ...wrong, recordType: 'production run', sourceId: String(row.id) });
    }
    if (already > 0) run.skip(ALREADY_MIGRATED, already);
    if (out.length > 0) yield out;
  }
});

async function lookAt(ids: readonly string[], run: Run): Promise<Map<string, Live>> {
  const found = await run.database.query<Live & Record<string, unknown>>(
    `SELECT r.id::text, r.recipe_id::text AS recipe, r.recipe_snapshot_id::text AS link, min(s.id)::text AS snapshot
     FROM unnest($1::bigint[]) AS w (id)
     JOIN production_runs r ON r.id = w.id
     LEFT JOIN recipe_snapshots s ON s.production_run_id = r.id
     GROUP BY r.id, r.recipe_id, r.recipe_snapshot_id`,
    [ids],
  );
  return new Map(found.map((each) => [each.id, each]));
}

function judge(row: OldRun, live: Live | undefined): Rejection | undefined {
  const id = idOf(row.id);
  if (id === undefined)
    return {
      reason: 'missing_run_id',
      column: 'id',
      value: row.id,
      message: `a run has no id (${jsonText(row.id ?? null)})`,
    };
  if (live === undefined)
    return {
      reason: 'run_not_in_table',
      column: 'id',
      value: id,
      message: `run ${id} is not in production_runs: is the document of this database?`,
    };
  const recipe = idOf(row.recipe_id) ?? null;
  if (recipe !== live.recipe)
    return {
      reason: 'recipe_differs',
      column: 'recipe_id',
      value: row.recipe_id,
      message: `run ${id} is of recipe ${recipe ?? 'NULL'} in the input, and of recipe ${live.recipe ?? 'NULL'} in production_runs`,
    };
  if (live.snapshot !== null)
    return {
      reason: 'snapshot_not_linked',
      column: 'recipe_snapshot_id',
      message: `run ${id} does not point to a snapshot, and snapshot ${live.snapshot} points to it`,
    };
  return undefined;
}

function absent(value: unknown): boolean {
  return value === null || value === undefined;
}
