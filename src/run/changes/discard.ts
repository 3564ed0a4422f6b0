import { discardStaging, dropEmptySchema, releaseLive } from '../../../sinks/publish/replace/discard.js';
import { COUNTS_TABLE, undoTable } from '../../../sinks/publish/rows/target.js';
import type { PgDatabase } from '../../db/connect.js';
import { isOwn, ownSchemas } from '../../db/own-schemas.js';
import { qualified } from '../../db/quote.js';
import type { Job } from '../job/job.js';

/** The tables in a batch's old schema that hold what an append, merge or patch of `schema.table` changed. */
export function imageTables(schema: string, table: string): string[] {
  return ['before', 'deleted', 'written'].map((suffix) => undoTable(schema, table, suffix));
}

/**
 * Drops the staging of a batch that will not be published, the tables that its undo would have used, and its
 * schemas, now empty. Only what the batch has made itself. Idempotent.
 */
export async function discard(database: PgDatabase, job: Pick<Job, 'names' | 'tables'>): Promise<void> {
  const client = await database.session();
  const { names } = job;
  if (await isOwn(database, names.batch, names.old))
    for (const { target, schema, table } of job.tables) {
      if (target.mode === 'replace') continue;
      const images = [...imageTables(schema, table), COUNTS_TABLE];
      await client.query(
        `DROP TABLE IF EXISTS ${images.map((image) => qualified(names.old, image)).join(', ')}`,
      );
    }
  await discardOwn(database, names);
}

/**
 * Drops what is staged in the schemas that the batch has made, and those schemas; of those for old tables the empty ones.
 * Idempotent.
 */
export async function discardOwn(
  database: PgDatabase,
  { batch, staging, old }: Pick<Job['names'], 'batch' | 'staging'> & { readonly old?: string },
): Promise<void> {
  const client = await database.session();
  for (const { schema } of await ownSchemas(database, batch, staging))
    await discardStaging(client, [{ schema }], { staging: schema, old: schema }, database.patience);
  if (old === undefined) return;
  for (const { schema } of await ownSchemas(database, batch, old))
    await dropEmptySchema(client, schema, database.patience);
}

/**
 * Takes off live what a batch's staging has put on it: keys of other tables towards staging, which would reject rows
 * whose parents only live has; and closes staging to the owners of its tables again. May be repeated.
 */
export async function letGoOwn(
  database: PgDatabase,
  { batch, staging }: Pick<Job['names'], 'batch' | 'staging'>,
): Promise<void> {
  const client = await database.session();
  for (const { schema } of await ownSchemas(database, batch, staging))
    await releaseLive(client, [{ schema }], { staging: schema, old: schema }, database.patience);
}

/** Drops a schema that the batch has made, where it is empty; whether nothing of the batch's is there any more. */
export async function dropOwnEmpty(database: PgDatabase, batch: string, schema: string): Promise<boolean> {
  if (!(await isOwn(database, batch, schema))) return true;
  return dropEmptySchema(await database.session(), schema, database.patience);
}
