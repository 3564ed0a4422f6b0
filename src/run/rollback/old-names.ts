import { rollbackErrors } from '../../core/errors/catalogue/rollback.js';
import { findBatch, holdBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { readPublished } from '../../db/ledger/published.js';
import { standingViews } from '../../db/ledger/views.js';
import { OldNamesUndo } from '../changes/old-names.js';
import { ledgerOf } from '../changes/sequence.js';
import { resolveInterrupted } from '../maintain/recover.js';
import type { RolledBack } from './rolled-back.js';
import { type RollbackOptions, undoing } from './session.js';
import { type Undoing, undo, undoStatements } from './undo.js';
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
  const changes = [new OldNamesUndo(options, batch.id, views)];
  for (const change of changes) await change.survey();
  const published = (await readPublished(database, id)).filter((each) => each.rolled_back_at === null);
  const replaced = published.filter(({ mode }) => mode === 'replace');
  // Where no old table comes back, nobody could miss rows in it.
  const keeps = views.some((view) => view.kept !== null);
  const tables = keeps ? await previewTables(database, id, replaced, []) : [];
  const what: Undoing = {
    ...{ batch: id, changes, ledger: ledgerOf(changes).statements },
    look: async () => {},
    isDone: async (other) => (await standingViews(other, id)).length === 0,
    done: `the old names of batch ${id} are back`,
  };
  const done = {
    ...{ batch: id, whole: false, tables, made_views: [] },
    views: views.map(({ schema, name }) => `${schema}.${name}`),
  };
  if (options.dryRun === true) return { ...done, statements: undoStatements(what), lock_ms: null };
  if (options.discardWrites !== true)
    assertUnwritten(tables, 'the old tables lack them, and only the new ones would have them');
  await holdBatch(database, id);
  return { ...done, lock_ms: await undo(what, options, signal, stopped) };
}
