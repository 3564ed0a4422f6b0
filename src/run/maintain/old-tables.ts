import { replaceErrors } from '../../core/errors/catalogue/replace.js';
import type { PgDatabase } from '../../db/connect.js';
import { type LedgerView, standingViews } from '../../db/ledger/views.js';
import { blockerLine, lockHolders } from '../../db/locks/blockers.js';
import { patiently } from '../../db/locks/patiently.js';
import { literal, qualified } from '../../db/quote.js';
import { type ServerError, sqlstateOf } from '../../db/server-error.js';
import { dropOwnEmpty } from '../changes/schemas.js';

/** The old tables that a batch keeps aside behind its views, since before `olderThanDays`. */
export interface OldTables {
  readonly batch: string;
  readonly schema: string;
  readonly tables: readonly string[];
  readonly bytes: number;
  readonly since: Date;
}

/** The old tables that are kept aside, by batch. Reads only. */
export async function findOldTables(database: PgDatabase, olderThanDays: number): Promise<OldTables[]> {
  const kept = (await standingViews(database)).filter(
    (view) => view.kept !== null && view.dropped_at === null,
  );
  const before = Date.now() - olderThanDays * 86_400_000;
  return [...new Set(kept.map(({ batch }) => batch))].flatMap((batch) => {
    const mine = kept.filter((view) => view.batch === batch);
    const [first] = mine as [LedgerView];
    if (first.published_at.getTime() >= before) return [];
    return {
      batch,
      schema: first.kept_schema as string,
      tables: mine.map(({ name }) => name),
      bytes: mine.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
      since: first.published_at,
    };
  });
}

/**
 * Drops the old tables of a batch together, never CASCADE; its views stay and its rollback does not. Throws
 * refused `still_read` where a session holds a lock on one of them, or where one was read by an index since the views
 * took the names (a whole-table read may have been a backup; PostgreSQL tells from version 16 on), refused `retained`
 * where something depends on them.
 */
export async function dropOldTables(
  database: PgDatabase,
  { batch, schema, tables }: OldTables,
): Promise<void> {
  const views = (await standingViews(database, batch)).filter((view) => tables.includes(view.name));
  const kept = tables.map((table) => ({ schema, table }));
  const holders = await lockHolders(database, kept, true);
  const readers = [
    ...holders.filter(({ backend }) => backend !== 'autovacuum worker').map(blockerLine),
    ...(await readSince(database, views)),
  ];
  if (readers.length > 0) throw replaceErrors.still_read({ batch }, { details: readers });
  const names = tables.map((table) => qualified(schema, table)).join(', ');
  const client = await database.session();
  try {
    const note = `UPDATE sluice.migration_view SET dropped_at = pg_catalog.clock_timestamp() WHERE batch_id = ${literal(batch)} AND kept_oid IS NOT NULL AND rolled_back_at IS NULL`;
    await patiently(client, database.patience, [`DROP TABLE ${names}`, note], {
      tables: kept,
      readersToo: true,
    });
  } catch (error) {
    if (sqlstateOf(error) !== '2BP01') throw error;
    const { detail = '' } = error as ServerError;
    throw replaceErrors.retained.behindViews({ batch }, { details: detail.split('\n'), cause: error });
  }
  await dropOwnEmpty(database, batch, schema);
}

/** Which kept tables were read since the views took their names, a sentence each. */
async function readSince(database: PgDatabase, views: readonly LedgerView[]): Promise<string[]> {
  const read = await database.query<{ who: string }>(
    `SELECT format('%s was last read by key at %s', s.relid::regclass, s.last) AS who
     FROM (SELECT relid, (to_jsonb(t) ->> 'last_idx_scan')::timestamptz AS last FROM pg_stat_all_tables t WHERE relid = ANY ($1::oid[])) s
     JOIN unnest($1::oid[], $2::timestamptz[]) v(oid, since) ON v.oid = s.relid
     WHERE s.last > v.since ORDER BY 1`,
    [views.map(({ kept }) => kept), views.map(({ published_at }) => published_at)],
  );
  return read.map(({ who }) => who);
}
