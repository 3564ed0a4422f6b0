import type { KeptRecords } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import { idents, literal, qualified } from '../quote.js';

/** The COPY that stores records. */
export function copyRecords(columns: readonly string[]): string {
  return `COPY sluice.migration_record (${idents(columns)}) FROM STDIN`;
}

/**
 * In the batch's staging schema while it loads: words on records that were written before anybody knew what
 * became of them. Logged: unlogged staging would be taken for emptied after a restart.
 */
export function lateTable(staging: string): string {
  return qualified(staging, 'sluice_record_late');
}

/** In the batch's staging schema: the keys of staged rows whose records may not show them. */
export function keyTable(staging: string): string {
  return qualified(staging, 'sluice_record_keys');
}

/** Makes the work tables of a load's records afresh, in the staging schema, which exists. */
export function workTablesSql(staging: string): string {
  const late = lateTable(staging);
  const keys = keyTable(staging);
  return [
    `DROP TABLE IF EXISTS ${late}, ${keys}`,
    `CREATE TABLE ${late} (input text NOT NULL, line bigint NOT NULL, status text NOT NULL, target_model text NOT NULL, transformed_data jsonb NOT NULL, error_message text NOT NULL, error_field text NOT NULL)`,
    `CREATE TABLE ${keys} (input text NOT NULL, line bigint NOT NULL, key jsonb NOT NULL)`,
  ].join('; ');
}

/**
 * Gives the records of a batch the words that came late. Where there are several on one record, an error counts, and
 * then that a table took it.
 */
export async function applyLate(database: Database, batch: string, staging: string): Promise<void> {
  await database.query(
    `UPDATE sluice.migration_record r
     SET status = l.status, target_model = l.target_model, error_message = l.error_message, error_field = l.error_field,
         transformed_data = CASE WHEN l.transformed_data = '{}' THEN r.transformed_data ELSE l.transformed_data END
     FROM (SELECT DISTINCT ON (input, line) * FROM ${lateTable(staging)}
           ORDER BY input, line, status <> 'error', status <> 'pending') l
     WHERE r.batch_id = $1 AND r.input = l.input AND r.line = l.line AND r.status <> 'error'`,
    [batch],
  );
}

/** Records of an input that no table took, and that nobody said anything about: skipped, for `reason`. */
export async function skipUntold(
  database: Database,
  batch: string,
  input: string,
  reason: string,
): Promise<void> {
  await database.query(
    `UPDATE sluice.migration_record SET status = 'skipped', error_message = $3
     WHERE batch_id = $1 AND input = $2 AND status = 'pending' AND target_model = ''`,
    [batch, input, reason],
  );
}

/** Forgets the records of a batch whose rows are all about to be read again. */
export async function forgetRecords(database: Database, batch: string): Promise<void> {
  await database.query('DELETE FROM sluice.migration_record WHERE batch_id = $1', [batch]);
}

/** Settles the records that still wait for the publish of a batch that publishes nothing. */
export async function settlePending(
  database: Database,
  batch: string,
  status: 'skipped' | 'rolled_back',
  message: string,
): Promise<void> {
  await database.query(
    `UPDATE sluice.migration_record SET status = $2, error_message = $3 WHERE batch_id = $1 AND status = 'pending'`,
    [batch, status, message],
  );
}

/** The statement, inside an undo, that settles the records of the tables that are taken back. Literal SQL. */
export function undoRecordsSql(
  batch: string,
  tables: readonly { readonly schema: string; readonly table: string }[],
): string {
  const models = tables.map(({ schema, table }) => literal(`${schema}.${table}`)).join(', ');
  return `UPDATE sluice.migration_record SET status = 'rolled_back' WHERE batch_id = ${batch} AND status = 'success' AND target_model IN (${models})`;
}

/** Whether a batch has records at all. */
export async function hasRecords(database: Database, batch: string): Promise<boolean> {
  const [row] = await database.query<{ has: boolean }>(
    'SELECT EXISTS (SELECT FROM sluice.migration_record WHERE batch_id = $1) AS has',
    [batch],
  );
  return row?.has === true;
}

/** How many records of each type and status a batch has. */
export async function countRecords(
  database: Database,
  batch: string,
): Promise<{ readonly record_type: string; readonly status: string; readonly rows: number }[]> {
  return database.query(
    `SELECT record_type, status, count(*)::float8 AS rows FROM sluice.migration_record
     WHERE batch_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
    [batch],
  );
}

/** How `--records` may be spelt. */
export const KEPT_RECORDS: readonly KeptRecords[] = ['all', 'errors', 'none'];
