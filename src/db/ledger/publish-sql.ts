import { type BatchStatus, reachableFrom } from '../../core/batch-status.js';
import type { Changes } from '../../core/changes.js';
import type { PublishMode } from '../../core/target.js';
import { literal, value } from '../quote.js';

/** The phase of a batch whose publish or undo has committed, until what it leaves behind is tidied up. */
export const TIDY = 'tidy';

/** One table of a publish, as the ledger records it. */
export interface PublishEntry {
  readonly schema: string;
  readonly table: string;
  readonly mode: PublishMode;
  readonly rows: number;
  /** What it does to the table's rows; or the table, quoted and qualified, in which the window counts it. */
  readonly changes: Changes | string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** Where the replaced table is kept, and its OID; null for modes that keep no table. */
  readonly retained: { readonly schema: string; readonly oid: number } | null;
}

/**
 * The ledger's statements inside a publishing transaction: the batch becomes `status`, or the transaction
 * fails because somebody else has moved it; and the tables' records, each with the transaction's id, from
 * which an undo can tell rows written since. Literal SQL, for one simple message.
 */
export function publishSql(batch: string, status: BatchStatus, records: readonly PublishEntry[]): string[] {
  const legal = reachableFrom(status).map((from) => literal(from));
  return [
    movedOrFail(batch, status, legal),
    ...records.map(recordSql(batch)),
    `SELECT table_schema, table_name, ${CHANGES_COLUMNS} FROM sluice.migration_publish WHERE batch_id = ${batch}`,
  ];
}

/** The columns of a Changes, as a publish's answer and readers of the ledger select them: what is staged first. */
const CHANGES_COLUMNS =
  'rows_staged::float8 AS staged, rows_inserted::float8 AS inserted, rows_updated::float8 AS updated, rows_unchanged::float8 AS unchanged, rows_missing::float8 AS missing, rows_suppressed::float8 AS suppressed, rows_deleted::float8 AS deleted, deletes_suppressed::float8';

function recordSql(batch: string): (record: PublishEntry) => string {
  return ({ schema, table, mode, rows, changes, facts, retained }) => {
    const into =
      'INSERT INTO sluice.migration_publish (batch_id, table_schema, table_name, mode, rows_staged, facts, published_at, retained_schema, retained_oid, rows_inserted, rows_updated, rows_unchanged, rows_missing, rows_suppressed, rows_deleted, deletes_suppressed)';
    const known = `${batch}, ${literal(schema)}, ${literal(table)}, ${literal(mode)}, ${value(rows)}, ${literal(JSON.stringify(facts))}::pg_catalog.jsonb || pg_catalog.jsonb_build_object('xid', pg_catalog.pg_current_xact_id()::text), pg_catalog.clock_timestamp(), ${value(retained?.schema ?? null)}, ${value(retained?.oid ?? null)}`;
    if (typeof changes === 'string')
      return `${into} SELECT ${known}, c.inserted, c.updated, c.unchanged, c.missing, c.suppressed, c.deleted, c.deletes_suppressed FROM (SELECT) one LEFT JOIN ${changes} c ON c.schema_name = ${literal(schema)} AND c.table_name = ${literal(table)}`;
    const { inserted, updated, unchanged, missing, suppressed, deleted, deletes_suppressed } = changes;
    const counted = [inserted, updated, unchanged, missing, suppressed, deleted, deletes_suppressed];
    return `${into} VALUES (${known}, ${counted.map(value).join(', ')})`;
  };
}

/**
 * The ledger's statements inside an undo: the given tables, each with the transaction's id, by which the rows that it puts
 * back are told from rows written since by others; and with the last of them the batch.
 */
export function undoSql(
  batch: string,
  tables: readonly {
    readonly schema: string;
    readonly table: string;
    readonly retained: PublishEntry['retained'];
  }[],
  whole: boolean,
): string[] {
  const marks = tables.map(
    ({ schema, table, retained }) =>
      `UPDATE sluice.migration_publish SET rolled_back_at = pg_catalog.clock_timestamp(), facts = facts || pg_catalog.jsonb_build_object('undo_xid', pg_catalog.pg_current_xact_id()::text), retained_schema = ${value(retained?.schema ?? null)}, retained_oid = ${value(retained?.oid ?? null)} WHERE batch_id = ${batch} AND table_schema = ${literal(schema)} AND table_name = ${literal(table)}`,
  );
  const part = `UPDATE sluice.migration_batch SET phase = ${literal(TIDY)} WHERE id = ${batch}`;
  return [whole ? movedOrFail(batch, 'rolled_back', [literal('completed')]) : part, ...marks];
}

/** An UPDATE that finds no batch in a legal state must not let the rest commit. */
function movedOrFail(batch: string, status: BatchStatus, legal: readonly string[]): string {
  const update = `UPDATE sluice.migration_batch SET status = ${literal(status)}, phase = ${literal(TIDY)}, completed_at = pg_catalog.clock_timestamp() WHERE id = ${batch} AND status IN (${legal.join(', ')})`;
  const message = `batch ${batch} cannot become ${status} from where it is`;
  return `DO $ledger$ BEGIN ${update}; IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = 'SL009', MESSAGE = ${literal(message)}; END IF; END $ledger$`;
}
