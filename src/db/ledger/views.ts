import type { Database } from '../../core/run.js';
import { literal, qualified, value } from '../quote.js';
import { ledgerThere } from './trust.js';

/** A compatibility view that a batch has made. */
export interface LedgerView {
  readonly batch: string;
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  /** The OID of the old table that is kept aside, in `kept_schema`. */
  readonly kept: number | null;
  readonly kept_schema: string | null;
  readonly writes: boolean;
  readonly published_at: Date;
  readonly rolled_back_at: Date | null;
  /** When the table that was kept aside was dropped. */
  readonly dropped_at: Date | null;
  /** What the kept table occupies; null where there is none. */
  readonly bytes: number | null;
}

/** The ledger's statements for views that are made in the same transaction, for one simple message. */
export function viewsSql(
  batch: string,
  views: readonly {
    readonly schema: string;
    readonly name: string;
    readonly kept: { readonly schema: string; readonly oid: number } | null;
    readonly writes: boolean;
  }[],
): string[] {
  return views.map(
    ({ schema, name, kept, writes }) =>
      `INSERT INTO sluice.migration_view (batch_id, view_schema, view_name, view_oid, kept_schema, kept_oid, writes) VALUES (${batch}, ${literal(schema)}, ${literal(name)}, pg_catalog.to_regclass(${literal(qualified(schema, name))})::oid, ${value(kept?.schema ?? null)}, ${value(kept?.oid ?? null)}, ${writes})`,
  );
}

/** The ledger's statement for a batch's views that are taken away in the same transaction. */
export function viewsUndoneSql(batch: string): string {
  return `UPDATE sluice.migration_view SET rolled_back_at = pg_catalog.clock_timestamp() WHERE batch_id = ${batch} AND rolled_back_at IS NULL`;
}

/** The views that stand, of one batch or of all; none where the ledger is older than them. */
export async function standingViews(database: Database, batch?: string): Promise<LedgerView[]> {
  if (!(await ledgerThere(database))) return [];
  const [ledger] = await database.query<{ there: boolean }>(
    `SELECT coalesce((SELECT has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'sluice' AND c.relname = 'migration_view'), false) AS there`,
  );
  if (ledger?.there !== true) return [];
  return database.query<LedgerView & Record<string, unknown>>(
    `SELECT v.batch_id::text AS batch, v.view_schema AS schema, v.view_name AS name, v.view_oid AS oid,
            CASE WHEN v.kept_schema = 'sluice_compat_' || v.batch_id THEN v.kept_oid END AS kept, 'sluice_compat_' || v.batch_id AS kept_schema, v.writes, v.published_at, v.rolled_back_at, v.dropped_at,
            CASE WHEN v.dropped_at IS NULL AND c.oid IS NOT NULL THEN pg_total_relation_size(c.oid) END::float8 AS bytes
     FROM sluice.migration_view v LEFT JOIN pg_class c ON c.oid = v.kept_oid AND v.kept_schema = 'sluice_compat_' || v.batch_id
     WHERE v.rolled_back_at IS NULL AND (v.batch_id = $1 OR $1::bigint IS NULL) ORDER BY v.batch_id, v.view_schema, v.view_name`,
    [batch ?? null],
  );
}
