import { discardStaging } from '../../sinks/replace/discard.js';
import { COUNTS_TABLE, undoTable } from '../../sinks/rows/target.js';
import type { PgDatabase } from '../db/connect.js';
import { qualified } from '../db/quote.js';
import type { Job } from './job.js';

/** The tables in a batch's old schema that hold what an append, merge or patch of `schema.table` changed. */
export function imageTables(schema: string, table: string): string[] {
  return ['before', 'deleted', 'written'].map((suffix) => undoTable(schema, table, suffix));
}

/**
 * Drops the staging of a batch that will not be published, the tables that its undo would have used, and its
 * schemas, now empty. Idempotent.
 */
export async function discard(database: PgDatabase, job: Pick<Job, 'names' | 'tables'>): Promise<void> {
  const client = await database.session();
  for (const { target, schema, table } of job.tables) {
    if (target.mode === 'replace') continue;
    const images = [...imageTables(schema, table), COUNTS_TABLE];
    await client.query(
      `DROP TABLE IF EXISTS ${images.map((image) => qualified(job.names.old, image)).join(', ')}`,
    );
  }
  await discardStaging(client, job.tables, job.names);
}
