import { undoViewParts } from '../../../sinks/publish/compat-views/index.js';
import { windowSql } from '../../../sinks/publish/window.js';
import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import { findBatch, holdBatch, noteBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { readPublished } from '../../db/ledger/published.js';
import { standingViews, viewsUndoneSql } from '../../db/ledger/views.js';
import { assertOldKept, assertViewsFree, tidyCompatibility } from '../changes/compat-views.js';
import { behindCommit } from '../end/stopping.js';
import { resolveInterrupted } from '../maintain/recover.js';
import { runWindow, timesOf } from '../publish/publish.js';
import { type RollbackOptions, type RolledBack, undoing } from './session.js';
import { assertUnwritten, previewTables } from './written-since.js';

/**
 * Takes back only the views under old names that a batch has made, in one transaction; the old tables that are kept
 * aside take their names again, and what the batch published stays. Refuses `written_since` where the old tables would
 * come back without rows that were written to the new ones since (with discardWrites they do; the new tables keep those
 * rows), `not_kept` where they were dropped, `views_in_use` where something was built on the views.
 */
export function rollbackViews(id: string, options: RollbackOptions): Promise<RolledBack> {
  return undoing(options, (signal, stopped) => undoViews(id, options, signal, stopped));
}

async function undoViews(
  id: string,
  options: RollbackOptions,
  signal: AbortSignal,
  stopped: () => Promise<void>,
): Promise<RolledBack> {
  const { database } = options;
  await requireLedger(database);
  if (options.dryRun !== true) await resolveInterrupted(database, options.events);
  const batch = await findBatch(database, id);
  const views = await standingViews(database, id);
  if (views.length === 0) throw rollbackErrors.no_views({ batch: id });
  assertOldKept(views);
  await assertViewsFree(database, views);
  const keeps = views.some((view) => view.kept !== null);
  const published = (await readPublished(database, id)).filter((each) => each.rolled_back_at === null);
  // Where no old table comes back, nobody could miss rows in it.
  const tables = keeps
    ? await previewTables(
        database,
        id,
        published.filter(({ mode }) => mode === 'replace'),
        [],
      )
    : [];
  const done = {
    batch: id,
    whole: false,
    tables,
    views: views.map(({ schema, name }) => `${schema}.${name}`),
  };
  const parts = undoViewParts(views, id);
  const ledger = [viewsUndoneSql(id)];
  if (options.dryRun === true)
    return { ...done, statements: windowSql(parts, { ...timesOf(parts), ledger }), lock_ms: null };
  if (options.discardWrites !== true)
    assertUnwritten(tables, 'the old tables lack them, and only the new ones would have them');
  await holdBatch(database, id);
  options.events?.phase?.('rollback', 'putting the old names back');
  const { lockMs } = await runWindow(options, {
    batch: batch.id,
    isDone: async (other) => (await standingViews(other, id)).length === 0,
    parts,
    ledger,
    rehearse: false,
    signal,
  });
  await stopped();
  await behindCommit(options, signal, `the old names of batch ${id} are back`, async () => {
    await tidyCompatibility(database, id);
    await noteBatch(database, id, { phase: null });
  });
  return { ...done, lock_ms: lockMs };
}
