import type { Database } from '../../core/run.js';
import { idents, literal, qualified } from '../quote.js';

/** The COPY that stores records. */
export function copyRecords(columns: readonly string[]): string {
  return `COPY sluice.migration_record_row (${idents(columns)}) FROM STDIN`;
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

/** Makes the table of late words, which is not there. */
export function lateTableSql(staging: string): string {
  return `CREATE TABLE ${lateTable(staging)} (input text NOT NULL, line bigint NOT NULL, status text NOT NULL, target_model text NOT NULL, transformed_data jsonb NOT NULL, error_message text NOT NULL, error_field text NOT NULL)`;
}

/** Makes the work tables of a load's records afresh, in the staging schema, which exists. */
export function workTablesSql(staging: string): string {
  const late = lateTable(staging);
  const keys = keyTable(staging);
  return [
    `DROP TABLE IF EXISTS ${late}, ${keys}`,
    lateTableSql(staging),
    `CREATE TABLE ${keys} (input text NOT NULL, line bigint NOT NULL, key jsonb NOT NULL)`,
  ].join('; ');
}

/**
 * Gives the records of a batch the words that came late. Where there are several on one record, an error counts, and
 * then that a table took it.
 */
export async function applyLate(database: Database, batch: string, staging: string): Promise<void> {
  await database.query(
    `UPDATE sluice.migration_record_row r
     SET target_id = NULL, status = l.status, target_model = l.target_model, error_message = l.error_message, error_field = l.error_field,
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
    `UPDATE sluice.migration_record_row SET status = 'skipped', error_message = $3
     WHERE batch_id = $1 AND input = $2 AND status = 'pending' AND target_model = ''`,
    [batch, input, reason],
  );
}

/** Forgets the records of a batch whose rows are all about to be read again. */
export async function forgetRecords(database: Database, batch: string): Promise<void> {
  await database.query(
    `WITH o AS (DELETE FROM sluice.migration_record_outcome WHERE batch_id = $1)
     DELETE FROM sluice.migration_record_row WHERE batch_id = $1`,
    [batch],
  );
}

/** An outcome may be there: of an attempt that was killed before its batch was told. */
const OR_ANEW =
  'ON CONFLICT (batch_id, target_model) DO UPDATE SET status = excluded.status, error_message = excluded.error_message';

/** Settles the records that still wait for the publish of a batch that publishes nothing. */
export async function settlePending(
  database: Database,
  batch: string,
  status: 'skipped' | 'rolled_back',
  message: string,
): Promise<void> {
  await database.query(
    `INSERT INTO sluice.migration_record_outcome (batch_id, target_model, status, error_message)
     SELECT DISTINCT batch_id, target_model, $2, $3 FROM sluice.migration_record_row
     WHERE batch_id = $1 AND status = 'pending' ${OR_ANEW}`,
    [batch, status, message],
  );
}

/**
 * The statement of a publishing transaction that settles the records that a batch has brought to a table, but for
 * those that say something else. `model`: `schema.table`. Literal SQL.
 */
export function publishedRecordsSql(batch: string, model: string): string {
  return `INSERT INTO sluice.migration_record_outcome (batch_id, target_model, status) VALUES (${batch}, ${literal(model)}, 'success') ${OR_ANEW}`;
}

/** The statement, inside an undo, that settles the records of the tables that are taken back. Literal SQL. */
export function undoRecordsSql(
  batch: string,
  tables: readonly { readonly schema: string; readonly table: string }[],
): string {
  const outcomes = tables
    .map(({ schema, table }) => `(${batch}, ${literal(`${schema}.${table}`)}, 'rolled_back')`)
    .join(', ');
  return `INSERT INTO sluice.migration_record_outcome (batch_id, target_model, status) VALUES ${outcomes} ${OR_ANEW}`;
}

/** Whether a batch has records at all. */
export async function hasRecords(database: Database, batch: string): Promise<boolean> {
  const [row] = await database.query<{ has: boolean }>(
    'SELECT EXISTS (SELECT FROM sluice.migration_record_row WHERE batch_id = $1) AS has',
    [batch],
  );
  return row?.has === true;
}
