import { ORIGIN_COLUMNS } from '../../../sinks/load/encode/ordinal.js';
import { schemasFor } from '../../../sinks/publish/replace/names.js';
import { describeStaged, type StagedTable } from '../../../sinks/publish/replace/staging.js';
import { renewUndoTables } from '../../../sinks/publish/rows/counts.js';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import type { Target } from '../../core/target.js';
import type { Batch } from '../../db/ledger/batches.js';
import { ownSchemas } from '../../db/own-schemas.js';
import { qualified } from '../../db/quote.js';
import { reload } from '../given/next-command.js';
import type { Job } from '../job/job.js';
import { letGoOwn } from './discard.js';
import { assertStagedPlain, replacedPlace, type Staged, type StagingTable } from './staging.js';
import type { Surveyed } from './survey.js';

/** The staging that an earlier command left, as it stands. Throws refused `staging_gone` where it is not all there. */
export async function adoptStaging(job: Job, surveyed: Surveyed, batch: Batch): Promise<Staged> {
  const client = await job.options.database.session();
  const places = new Map<Target, StagingTable>();
  const replaced: StagedTable[] = [];
  const tables = surveyed.replace?.tables ?? [];
  const schemas = schemasFor(tables, job.names);
  await letGoOwn(job.options.database, job.names);
  for (const live of tables) {
    const schema = schemas.get(live.schema)?.staging ?? job.names.staging;
    await assertThere(job, batch, schema, live);
    const staged = await describeStaged(client, live, schema, live.table);
    replaced.push(staged);
    const table = job.tables.find((each) => each.oid === live.oid);
    if (table !== undefined) places.set(table.target, await replacedPlace(client, staged));
  }
  await assertStagedPlain(job, replaced);
  if (surveyed.rows.size > 0)
    await renewUndoTables(
      client,
      { undo: job.names.old },
      [...surveyed.rows.values()].map(({ target }) => target),
    );
  for (const target of surveyed.rows.keys()) {
    const live = job.tableOf(target);
    await assertThere(job, batch, job.names.staging, live);
    const place = { schema: job.names.staging, table: live.table };
    places.set(target, { ...place, numbered: await isNumbered(job, place), checks: [] });
  }
  return { places, replaced };
}

/** Whether the load had reason to note where its rows came from; live may have got other constraints since. */
async function isNumbered(
  job: Job,
  { schema, table }: { readonly schema: string; readonly table: string },
): Promise<boolean> {
  const [found] = await job.options.database.query<{ numbered: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
       WHERE attrelid = pg_catalog.to_regclass($1) AND attname = $2 AND NOT attisdropped) AS numbered`,
    [qualified(schema, table), ORIGIN_COLUMNS.row],
  );
  return found?.numbered === true;
}

/** It is there, and is the table that the batch has made, not something else in its place. */
async function assertThere(
  job: Job,
  batch: Batch,
  schema: string,
  live: { readonly schema: string; readonly table: string },
): Promise<void> {
  const { database } = job.options;
  const [found] = await database.query<{ oid: number; kind: string; owner: string }>(
    `SELECT c.oid::pg_catalog.int8::pg_catalog.float8 AS oid, c.relkind::pg_catalog.text AS kind, pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text AS owner
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname::pg_catalog.text = $1 AND c.relname::pg_catalog.text = $2`,
    [schema, live.table],
  );
  const own = (await ownSchemas(database, batch.id, job.names.staging)).find(
    (each) => each.schema === schema,
  );
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
