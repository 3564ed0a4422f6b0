import type { ClientBase } from 'pg';
import { COUNTS_TABLE, type RowNames } from '../../sinks/publish/rows/target.js';
import { qualified } from '../../src/db/quote.js';

/**
 * What a publish did to the rows of one table, counted by the server in the publishing transaction.
 * staged = inserted + updated + unchanged + missing + suppressed.
 */
interface RowCounts {
  /** `schema.table` */
  readonly table: string;
  readonly mode: string;
  /** Rows in staging. */
  readonly staged: number;
  readonly inserted: number;
  readonly updated: number;
  /** merge, sync, patch: rows that live had already, byte by byte. */
  readonly unchanged: number;
  /** patch: keys that live did not have. */
  readonly missing: number;
  /** Rows that a trigger kept from being written, or took away again. */
  readonly suppressed: number;
  /** sync: rows that staging lacks. */
  readonly deleted: number;
  /** Rows that were to be deleted and that a trigger kept. */
  readonly deletes_suppressed: number;
}

/** The numbers of a batch's committed publish, in publishing order; empty before the window has committed. */
export async function readCounts(client: ClientBase, names: Pick<RowNames, 'undo'>): Promise<RowCounts[]> {
  const result = await client.query(
    `SELECT schema_name || '.' || table_name AS "table", mode, staged::float8, inserted::float8, updated::float8, unchanged::float8, missing::float8, suppressed::float8, deleted::float8, deletes_suppressed::float8 FROM ${qualified(names.undo, COUNTS_TABLE)} ORDER BY position`,
  );
  return result.rows as RowCounts[];
}
