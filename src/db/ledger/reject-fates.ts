import type { Database } from '../../core/run.js';
import { ALIVE } from './batches.js';

/** A reject's place, and the batch that its corrected row is in or on the way with. */
export interface RejectFate {
  readonly number: number;
  /** As rejects call it. */
  readonly input: string;
  readonly line: number | null;
  readonly stage: string;
  readonly corrected_by: string | null;
}

/** A batch `c` to which the corrected row of a reject counts. */
const CORRECTS = `(c.status IN ('staged', 'completed') OR c.status = 'running' AND ${ALIVE.replaceAll('b.id', 'c.id')})`;

/** A reject `r` that is still to be corrected. */
export const PENDING = `NOT EXISTS (SELECT FROM sluice.migration_batch c WHERE c.id = r.corrected_by AND ${CORRECTS})`;

/**
 * What became of the rejects of a batch. A batch that failed, was rolled back, or whose process is gone before
 * it published has corrected nothing: what resubmits rejects is not resumed.
 */
export async function rejectFates(database: Database, batch: string): Promise<RejectFate[]> {
  return database.query<RejectFate & Record<string, unknown>>(
    `SELECT r.number::float8, r.input, r.line::float8, r.stage, c.id::text AS corrected_by
     FROM sluice.migration_reject r LEFT JOIN sluice.migration_batch c ON c.id = r.corrected_by AND ${CORRECTS}
     WHERE r.batch_id = $1`,
    [batch],
  );
}

/** Notes that `by` has been given the corrected rows of these rejects; it counts once `by` is published. */
export async function claimRejects(
  database: Database,
  batch: string,
  numbers: readonly number[],
  by: string,
): Promise<void> {
  await database.query(
    'UPDATE sluice.migration_reject SET corrected_by = $3 WHERE batch_id = $1 AND number = ANY ($2::bigint[])',
    [batch, numbers, by],
  );
}

/** The batches that have published corrected rejects of a batch, with how many of its rejects they are. */
export async function resubmissions(
  database: Database,
  batch: string,
): Promise<{ readonly id: string; readonly rejects: number }[]> {
  return database.query(
    `SELECT c.id::text, count(*)::float8 AS rejects
     FROM sluice.migration_reject r JOIN sluice.migration_batch c ON c.id = r.corrected_by AND ${CORRECTS}
     WHERE r.batch_id = $1 GROUP BY c.id ORDER BY c.id`,
    [batch],
  );
}
