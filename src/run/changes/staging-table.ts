import { ORIGIN_COLUMNS } from '../../../sinks/load/encode/ordinal.js';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import type { Database } from '../../core/run.js';
import type { RowCheck } from '../../db/catalog/row-constraints.js';
import type { Batch } from '../../db/ledger/batches.js';
import { ownSchemas } from '../../db/own-schemas.js';
import { qualified } from '../../db/quote.js';
import { reload } from '../given/next-command.js';

/** Where a target's rows go: its staging table. */
export interface StagingTable {
  readonly schema: string;
  readonly table: string;
  /** Whether it has columns that say where its rows came from. */
  readonly numbered: boolean;
  /** The CHECKs that it has of live's, which COPY asks. */
  readonly checks: readonly RowCheck[];
}

/** Whether the load had reason to note where its rows came from; live may have got other constraints since. */
export async function isNumbered(
  database: Database,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<boolean> {
  const [found] = await database.query<{ numbered: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
       WHERE attrelid = pg_catalog.to_regclass($1) AND attname = $2 AND NOT attisdropped) AS numbered`,
    [qualified(schema, table), ORIGIN_COLUMNS.row],
  );
  return found?.numbered === true;
}

/**
 * That the staging of `live` is there, and is the table that the batch has made, not something else in its place. Throws
 * refused `staging_gone`, `staging_not_ours`. `staging`: the first of the batch's staging schemas.
 */
export async function assertThere(
  database: Database,
  batch: Batch,
  staging: string,
  schema: string,
  live: { readonly schema: string; readonly table: string },
): Promise<void> {
  const [found] = await database.query<{ oid: number; kind: string; owner: string }>(
    `SELECT c.oid::pg_catalog.int8::pg_catalog.float8 AS oid, c.relkind::pg_catalog.text AS kind, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname::pg_catalog.text = $1 AND c.relname::pg_catalog.text = $2`,
    [schema, live.table],
  );
  const own = (await ownSchemas(database, batch.id, staging)).find((each) => each.schema === schema);
  if (found !== undefined && found.kind === 'r' && own?.tables[live.table] === found.oid) return;
  throw found === undefined
    ? resumeErrors.staging_gone({ table: `${live.schema}.${live.table}`, reload: reload(batch) })
    : resumeErrors.staging_not_ours({
        staging: `${schema}.${live.table}`,
        batch: batch.id,
        owner: found.owner,
        reload: reload(batch),
      });
}
