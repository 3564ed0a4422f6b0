import type { Changes } from '../../core/changes.js';
import type { Database } from '../../core/run.js';
import type { PublishMode } from '../../core/target.js';
import { ownName } from '../own-schemas.js';

/** Where a publish `p` keeps the table that it replaced, as SQL: in a schema of the batch's own, or nowhere. */
const KEPT_IN = `CASE WHEN ${ownName('p.retained_schema', 'p.batch_id')} THEN p.retained_schema END`;

/** What a batch published of one table. `bytes`: what the retained copy occupies. */
export interface Published {
  readonly table_schema: string;
  readonly table_name: string;
  readonly mode: PublishMode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly rows_staged: number;
  readonly published_at: Date | null;
  readonly retained_schema: string | null;
  readonly retained_oid: number | null;
  readonly rolled_back_at: Date | null;
  readonly dropped_at: Date | null;
  readonly bytes: number | null;
  /** What the publish did to the table's rows; null where an earlier version of Sluice published. */
  readonly changes: Changes | null;
}

/** The tables that a batch has published (or staged), in the order of their names. */
export async function readPublished(database: Database, batch: string): Promise<Published[]> {
  return database.query<Published & Record<string, unknown>>(
    `SELECT p.table_schema, p.table_name, p.mode, p.facts, p.rows_staged::float8, p.published_at,
            ${KEPT_IN} AS retained_schema, p.retained_oid, p.rolled_back_at, p.dropped_at,
            CASE WHEN p.dropped_at IS NULL AND c.oid IS NOT NULL THEN pg_total_relation_size(c.oid) END::float8 AS bytes,
            CASE WHEN p.rows_inserted IS NOT NULL THEN json_build_object('staged', p.rows_staged,
              'inserted', p.rows_inserted, 'updated', p.rows_updated, 'unchanged', p.rows_unchanged,
              'missing', p.rows_missing, 'suppressed', p.rows_suppressed, 'deleted', p.rows_deleted,
              'deletes_suppressed', p.deletes_suppressed) END AS changes
     FROM sluice.migration_publish p LEFT JOIN pg_class c ON c.oid = p.retained_oid
     WHERE p.batch_id = $1 ORDER BY p.table_schema, p.table_name`,
    [batch],
  );
}

/** What the rows of a table were made of, as the ledger keeps it: equal for equal rows. */
export interface MadeOf {
  /** Of the files, in bytes: what is quick to compare. */
  readonly sizes: readonly number[];
  /** A hash (hexadecimal) of all that decides the rows. */
  readonly hash: string;
}

/** The publish that has put a live table in its place. */
export interface LivePublish {
  readonly batch: string;
  readonly rows: number;
  readonly facts: Published['facts'];
  /** What the load took. */
  readonly loadSeconds: number;
  /** Transactions that have begun since, of the whole server; null where the ledger has not the publishing one. */
  readonly transactionsSince: number | null;
}

/** The publish of the table that is live, not taken back; undefined where it has come there otherwise. */
export async function publishOfLive(
  database: Database,
  { schema, table, oid }: { readonly schema: string; readonly table: string; readonly oid: number },
): Promise<LivePublish | undefined> {
  const [found] = await database.query<LivePublish & Record<string, unknown>>(
    `SELECT p.batch_id::text AS batch, p.rows_staged::float8 AS rows, p.facts,
            coalesce((b.timings ->> 'load')::float8, 0) AS "loadSeconds",
            (pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::numeric - (p.facts ->> 'xid')::numeric)::float8 AS "transactionsSince"
     FROM sluice.migration_publish p JOIN sluice.migration_batch b ON b.id = p.batch_id
     WHERE p.table_schema = $1 AND p.table_name = $2 AND p.mode = 'replace' AND b.status = 'completed'
       AND p.published_at IS NOT NULL AND p.rolled_back_at IS NULL AND p.facts ->> 'live_oid' = $3
     ORDER BY p.published_at DESC LIMIT 1`,
    [schema, table, String(oid)],
  );
  return found;
}

/** A table that a publish or an undo moved out and keeps. */
export interface Kept {
  readonly table_schema: string;
  readonly table_name: string;
  /** Where the ledger says it is kept. */
  readonly retained_schema: string;
  /** Where it is: elsewhere while an undo is under way. */
  readonly schema: string;
  readonly oid: number;
}

/** The tables that a batch keeps, where they are now. */
export async function findKept(database: Database, batch: string): Promise<Kept[]> {
  return database.query<Kept & Record<string, unknown>>(
    `SELECT p.table_schema, p.table_name, ${KEPT_IN} AS retained_schema, n.nspname AS schema, c.oid
     FROM sluice.migration_publish p JOIN pg_class c ON c.oid = p.retained_oid AND c.relname = p.table_name
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.batch_id = $1 AND p.dropped_at IS NULL AND ${ownName('p.retained_schema', 'p.batch_id')}
       AND ${ownName('n.nspname', 'p.batch_id')} ORDER BY p.table_schema, p.table_name`,
    [batch],
  );
}

/** The latest batch that has replaced a table which `batch` published, and the table; undefined where none has. */
export async function replacedSince(
  database: Database,
  batch: string,
): Promise<{ readonly batch: string; readonly table: string } | undefined> {
  const [found] = await database.query<{ batch: string; table: string }>(
    `SELECT later.batch_id::text AS batch, later.table_schema || '.' || later.table_name AS table
     FROM sluice.migration_publish later JOIN sluice.migration_publish p USING (table_schema, table_name)
     WHERE p.batch_id = $1 AND p.published_at IS NOT NULL AND later.published_at > p.published_at
       AND later.batch_id <> p.batch_id AND later.mode = 'replace' AND later.rolled_back_at IS NULL
     ORDER BY later.published_at DESC LIMIT 1`,
    [batch],
  );
  return found;
}

/** The undo of what a batch had done to rows of a table. */
export interface UndoneSince {
  /** The undo's transaction, as the xmin of the rows that it wrote has it. */
  readonly xid: string;
  /** The schema of the batch's images of rows. */
  readonly undo: string;
}

/** The undos of merges and patches of a table that batches later than `batch` had published, the earliest first. */
export async function undoneSince(
  database: Database,
  batch: string,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<UndoneSince[]> {
  return database.query<UndoneSince & Record<string, unknown>>(
    `SELECT ((p.facts ->> 'undo_xid')::numeric % 4294967296)::text AS xid, 'sluice_old_' || b.id AS undo
     FROM sluice.migration_publish p JOIN sluice.migration_batch b ON b.id = p.batch_id
     WHERE p.table_schema = $2 AND p.table_name = $3 AND p.batch_id > $1 AND p.mode IN ('merge', 'sync', 'patch')
       AND p.rolled_back_at IS NOT NULL AND p.facts ->> 'undo_xid' IS NOT NULL AND b.old_schema IS NOT NULL
     ORDER BY p.rolled_back_at`,
    [batch, schema, table],
  );
}
