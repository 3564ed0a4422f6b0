import { discardStaging, dropEmptySchema, releaseLive } from '../../../sinks/publish/replace/discard.js';
import { undoTable } from '../../../sinks/publish/rows/target.js';
import type { PgDatabase } from '../../db/connect.js';
import { isOwn, ownSchemas } from '../../db/own-schemas.js';
import type { BatchNames } from '../given/batch-names.js';
import { Change, type Site } from './change.js';

/** The tables in a batch's old schema that hold what an append, merge or patch of `schema.table` changed. */
export function imageTables(schema: string, table: string): string[] {
  return ['before', 'deleted', 'written'].map((suffix) => undoTable(schema, table, suffix));
}

/**
 * Drops what is staged in the schemas that the batch has made, and those schemas; of those for old tables the empty ones.
 * Idempotent.
 */
export async function discardOwn(
  database: PgDatabase,
  { batch, staging, old }: Pick<BatchNames, 'batch' | 'staging'> & { readonly old?: string },
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
  { batch, staging }: Pick<BatchNames, 'batch' | 'staging'>,
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

/** The schemas of the batch's own, with all that is staged in them. */
export class Schemas extends Change {
  readonly question = 'publishing';

  constructor(
    private readonly site: Site,
    private readonly of: { readonly names: BatchNames },
  ) {
    super();
  }

  override async adopt(): Promise<void> {
    await this.release();
  }

  override async tidy(): Promise<void> {
    await discardOwn(this.site.database, this.of.names);
  }

  override async release(): Promise<void> {
    await letGoOwn(this.site.database, this.of.names);
  }

  override async discard(): Promise<void> {
    await discardOwn(this.site.database, this.of.names);
  }
}
