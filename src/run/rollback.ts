import { rollbackErrors } from '../core/errors/catalogue/rollback.js';
import { findBatch, holdBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { undoSql } from '../db/ledger/publish-sql.js';
import { type Published, readPublished } from '../db/ledger/published.js';
import { standingViews } from '../db/ledger/views.js';
import { ledgerOf } from './changes/sequence.js';
import { UndoChanges, type Undone } from './changes/undo-changes.js';
import { lockTables } from './given/table-claims.js';
import { findTables } from './given/tables.js';
import { assertSessions, SESSIONS_OF_A_SWAP } from './load/sessions.js';
import { resolveInterrupted } from './maintain/recover.js';
import { chooseTables, nameOf } from './rollback/choice.js';
import type { RolledBack, UndoneTable } from './rollback/rolled-back.js';
import { type RollbackOptions, undoing } from './rollback/session.js';
import { type Undoing, undo, undoStatements } from './rollback/undo.js';
import { assertUnwritten, previewTables } from './rollback/written-since.js';

/**
 * Undoes what a completed batch published, or the named tables of it, in one transaction: tables that were
 * replaced come back from where they were kept, with the metadata that live has now; rows that were added or
 * changed are taken back. Refuses where rows were written since (`written_since`, listing them). A failure leaves
 * live and the kept tables as they are.
 */
export async function rollbackBatch(id: string, options: RollbackOptions): Promise<RolledBack> {
  const { database } = options;
  return undoing(options, async (signal, stopped) => {
    if (options.dryRun !== true) await assertSessions(database, SESSIONS_OF_A_SWAP);
    const { undone, views, changes } = await prepareUndo(id, options);
    for (const change of changes.all) await change.survey();
    const { tables: published, whole } = undone;
    const look = () => previewTables(database, id, published, changes.rows.surveyed);
    let tables: UndoneTable[] = [];
    const what: Undoing = {
      ...{ batch: id, changes: changes.all, guard: changes.guard },
      ledger: ledgerFor(undone, changes),
      look: async () => {
        tables = await look();
        if (options.discardWrites !== true) assertUnwritten(tables);
      },
      isDone: async (ledger) =>
        (await readPublished(ledger, id))
          .filter((each) => published.some((chosen) => nameOf(chosen) === nameOf(each)))
          .every((each) => each.rolled_back_at !== null),
      done: `batch ${id} is rolled back`,
    };
    const done = {
      ...{ batch: id, whole, made_views: changes.views.names },
      views: views.map(({ schema, name }) => `${schema}.${name}`),
    };
    if (options.dryRun === true)
      return { ...done, tables: await look(), statements: undoStatements(what), lock_ms: null };
    await holdBatch(database, id);
    await lockTables(database, await findTables(database, published.map(placeOf)));
    const lockMs = await undo(what, options, signal, stopped);
    return { ...done, tables, lock_ms: lockMs };
  });
}

const placeOf = (each: Published) => ({ schema: each.table_schema, table: each.table_name });

/** What of the batch is to be taken back, and by which changes. */
async function prepareUndo(id: string, options: RollbackOptions) {
  const { database } = options;
  await requireLedger(database);
  if (options.dryRun !== true) await resolveInterrupted(database, options.events);
  const batch = await findBatch(database, id);
  const choice = chooseTables(batch, await readPublished(database, id), options.tables ?? []);
  await assertLatest(database, id, choice.tables);
  // With the last table the old names go back to what they were; one table alone leaves the views on the others.
  const views = choice.whole ? await standingViews(database, id) : [];
  const undone: Undone = {
    ...{ batch, ...choice, views },
    discardWrites: options.discardWrites === true,
    rewriteOids: options.rewriteOids === true,
    runOwnersCode: options.runOwnersCode === true,
  };
  return { undone, views, changes: new UndoChanges(options, undone) };
}

/** The ledger's statements of the undo: the tables, and with the last of them the batch. */
function ledgerFor({ batch, tables, whole }: Undone, { all }: UndoChanges): string[] {
  const { undone, statements } = ledgerOf(all);
  const inOrder = tables.flatMap((each) =>
    undone.filter(({ schema, table }) => schema === each.table_schema && table === each.table_name),
  );
  return [...undoSql(batch.id, inOrder, whole), ...statements];
}

/** What a later batch has swapped in is not this batch's to take back. */
async function assertLatest(
  database: RollbackOptions['database'],
  id: string,
  published: readonly Published[],
): Promise<void> {
  const later = await database.query<{ table: string; batches: string }>(
    `SELECT p.table_schema || '.' || p.table_name AS "table", string_agg(l.batch_id::text, ', ' ORDER BY l.batch_id DESC) AS batches
     FROM sluice.migration_publish p
     JOIN sluice.migration_publish l USING (table_schema, table_name)
     WHERE p.batch_id = $1 AND l.batch_id > p.batch_id AND l.rolled_back_at IS NULL AND p.table_schema || '.' || p.table_name = ANY ($2)
     GROUP BY 1 ORDER BY 1`,
    [id, published.map((each) => `${each.table_schema}.${each.table_name}`)],
  );
  if (later.length === 0) return;
  throw rollbackErrors.built_upon(
    { batch: id, latest: later[0]?.batches.split(', ')[0] as string },
    { details: later.map(({ table, batches }) => `${table}: batch ${batches}`) },
  );
}
