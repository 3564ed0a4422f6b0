import { discardStaging, dropRetained } from '../../../sinks/publish/replace/discard.js';
import { COUNTS_TABLE } from '../../../sinks/publish/rows/target.js';
import { findGuards } from '../../../sinks/publish/write-guard/journal.js';
import type { PgDatabase } from '../../db/connect.js';
import {
  findBatch,
  holdBatch,
  listEmptied,
  listKept,
  listUnfinished,
  releaseBatch,
} from '../../db/ledger/batches.js';
import { forgetLoaded } from '../../db/ledger/segments.js';
import { patiently } from '../../db/locks/patiently.js';
import { isOwn, ownName, ownSchemas } from '../../db/own-schemas.js';
import { literal, qualified } from '../../db/quote.js';
import { dropMade } from '../changes/missing-tables.js';
import { dropOwnEmpty, imageTables } from '../changes/schemas.js';
import { disarm, guardOf } from '../changes/write-guard/write-guard.js';
import { namesOf } from '../given/batch-names.js';
import { dropOldTables, findOldTables } from './old-tables.js';

/** Something that can be cleaned up. `bytes`: what dropping it gives back. */
export interface Leftover {
  /**
   * A table that was replaced; the old tables that views have taken the names of; the images of rows that an append, merge or patch changed (`name` is the
   * live table then); staging that nobody will publish; a guard without a run; a batch that the ledger still
   * calls unfinished, and that left nothing else.
   */
  readonly kind: 'replaced table' | 'old tables' | 'saved rows' | 'staging' | 'guard' | 'batch';
  readonly batch: string;
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly bytes: number;
  readonly since: Date | null;
}

type Found = Leftover & Record<string, unknown>;

/**
 * What is kept or was left behind: tables that a batch replaced longer than `olderThanDays` ago, images of
 * rows that it changed, staging that has waited as long, staging and guards of batches whose process is gone or that
 * were kept to be resumed,
 * and where they left neither, the batch that the ledger still calls unfinished. Lists; drops nothing.
 */
export async function findLeftovers(database: PgDatabase, olderThanDays: number): Promise<Leftover[]> {
  const seconds = olderThanDays * 86_400;
  const retained = await database.query<Found>(
    `SELECT 'replaced table' AS kind, p.batch_id::text AS batch, p.retained_schema AS schema, p.table_name AS table,
            p.retained_schema || '.' || p.table_name AS name, pg_total_relation_size(c.oid)::float8 AS bytes,
            coalesce(p.rolled_back_at, p.published_at) AS since
     FROM sluice.migration_publish p JOIN pg_class c ON c.oid = p.retained_oid
     JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = p.retained_schema AND ${ownName('n.nspname', 'p.batch_id')}
     WHERE p.dropped_at IS NULL AND coalesce(p.rolled_back_at, p.published_at) < now() - make_interval(secs => $1)
     ORDER BY p.batch_id, 5`,
    [seconds],
  );
  const unfinished = (await listUnfinished(database)).filter((batch) => !batch.alive);
  const others = [...(await listKept(database)), ...(await listEmptied(database))];
  const dead = [...unfinished, ...others].map((batch) => batch.id);
  const staging = await database.query<Found>(
    `SELECT 'staging' AS kind, b.id::text AS batch, n.nspname AS schema, '' AS table, n.nspname AS name,
            (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c
             WHERE c.relnamespace = n.oid AND c.relkind = 'r')::float8 AS bytes, b.started_at AS since
     FROM sluice.migration_batch b
     CROSS JOIN LATERAL jsonb_each(b.schemas) m JOIN pg_namespace n ON n.nspname = m.key AND n.oid::int8::text = m.value ->> 'oid'
     WHERE m.key ~ ('^sluice_staging_' || b.id || '(_[0-9]+)?$') AND ( b.id::text = ANY ($1)
        OR b.status = 'staged' AND coalesce(b.completed_at, b.started_at) < now() - make_interval(secs => $2))
     ORDER BY b.id, 5`,
    [dead, seconds],
  );
  const guards = await findGuards(await database.session());
  const ours = guards.filter(({ batch, guardSchema }) => guardSchema === guardOf(batch).schema);
  const armed = [...new Set(ours.map((guard) => guard.batch))].filter((batch) => dead.includes(batch));
  // A guard that was being taken away when its process ended may have left its schema alone.
  const emptied = await database.query<{ batch: string }>(
    `SELECT b.id::text AS batch FROM sluice.migration_batch b JOIN pg_namespace n ON n.nspname = 'sluice_guard_' || b.id AND n.oid::int8::text = b.schemas -> n.nspname::text ->> 'oid'
     WHERE b.status IN ('completed', 'failed', 'rolled_back') AND b.phase IS NULL AND NOT b.id::text = ANY ($1)`,
    [armed],
  );
  const orphaned = [...armed, ...emptied.map(({ batch }) => batch)];
  const bare = dead.filter(
    (batch) => !orphaned.includes(batch) && !staging.some((each) => each.batch === batch),
  );
  return [
    ...retained,
    ...(await findOldTables(database, olderThanDays)).map((old) => ({
      kind: 'old tables' as const,
      ...{ batch: old.batch, schema: old.schema, table: old.tables.join(', ') },
      name: `${old.schema}: ${old.tables.join(', ')}`,
      ...{ bytes: old.bytes, since: old.since },
    })),
    ...(await savedRows(database, seconds)),
    ...staging,
    ...orphaned.map((batch) => ({
      kind: 'guard' as const,
      ...{ batch, schema: guardOf(batch).schema, table: '' },
      name: `triggers sluice_guard_${batch}_*`,
      bytes: 0,
      since: null,
    })),
    ...bare.map((batch) => ({
      kind: 'batch' as const,
      ...{ batch, schema: '', table: '' },
      name: 'the batch itself',
      bytes: 0,
      since: null,
    })),
  ];
}

async function savedRows(database: PgDatabase, seconds: number): Promise<Leftover[]> {
  const published = await database.query<Found & { readonly live_schema: string }>(
    `SELECT 'saved rows' AS kind, p.batch_id::text AS batch, 'sluice_old_' || b.id AS schema, p.table_name AS table,
            p.table_schema AS live_schema, p.table_schema || '.' || p.table_name AS name, 0 AS bytes,
            coalesce(p.rolled_back_at, p.published_at) AS since
     FROM sluice.migration_publish p JOIN sluice.migration_batch b ON b.id = p.batch_id
     WHERE p.mode <> 'replace' AND p.dropped_at IS NULL
       AND coalesce(p.rolled_back_at, p.published_at) < now() - make_interval(secs => $1)
     ORDER BY p.batch_id, 5`,
    [seconds],
  );
  const found: Leftover[] = [];
  for (const { live_schema, ...each } of published) {
    if (!(await isOwn(database, each.batch, each.schema))) continue;
    const [size] = await database.query<{ tables: number; bytes: number }>(
      `SELECT count(*)::float8 AS tables, coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 AS bytes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = ANY ($2)`,
      [each.schema, imageTables(live_schema, each.table)],
    );
    if (size !== undefined && size.tables > 0) found.push({ ...each, bytes: size.bytes });
  }
  return found;
}

/** Drops one leftover; never CASCADE. Throws refused('retained') where something depends on it. */
export async function dropLeftover(database: PgDatabase, leftover: Leftover): Promise<void> {
  const { batch } = leftover;
  switch (leftover.kind) {
    case 'guard':
    case 'batch':
      await disarm(database, guardOf(batch));
      await dropImages(database, batch);
      return closeInterrupted(database, batch);
    case 'staging':
      return dropStaging(database, leftover);
    case 'old tables': {
      const [old] = (await findOldTables(database, 0)).filter((each) => each.batch === batch);
      return old === undefined ? undefined : dropOldTables(database, old);
    }
    case 'saved rows':
      return dropSaved(database, leftover);
    case 'replaced table':
      return dropReplaced(database, leftover);
  }
}

async function dropStaging(database: PgDatabase, leftover: Leftover): Promise<void> {
  const { batch } = leftover;
  // Somebody may be publishing it at this moment: then it is no leftover.
  await holdBatch(database, batch);
  try {
    const { status } = await findBatch(database, batch);
    if (status === 'pending' || status === 'running' || status === 'staged' || status === 'failed')
      await dropUnpublished(database, leftover);
  } finally {
    await releaseBatch(database, batch);
  }
}

async function dropUnpublished(database: PgDatabase, { batch, schema }: Leftover): Promise<void> {
  const client = await database.session();
  await discardStaging(client, [{ schema }], { staging: schema, old: schema }, database.patience);
  await disarm(database, guardOf(batch));
  await forgetLoaded(database, batch);
  await dropImages(database, batch);
  await closeInterrupted(database, batch);
}

/** Row images that no publish has filled go with the staging that they were made for. */
async function dropImages(database: PgDatabase, batch: string): Promise<void> {
  const { status } = await findBatch(database, batch);
  if (status === 'completed' || status === 'rolled_back') return;
  const client = await database.session();
  for (const { schema: old } of await ownSchemas(database, batch, namesOf(batch).old))
    await discardStaging(client, [{ schema: old }], { staging: old, old }, database.patience);
}

/** The ledger's word for a batch that nobody will resume. */
async function closeInterrupted(database: PgDatabase, batch: string): Promise<void> {
  const { status } = await findBatch(database, batch);
  await database.query(
    `UPDATE sluice.migration_batch SET status = 'failed', completed_at = clock_timestamp(), phase = NULL,
            error = CASE status WHEN 'staged' THEN '{"code": "discarded", "message": "its staging was cleaned up before it was published"}'::jsonb
                    ELSE '{"code": "interrupted", "message": "its process ended before it was done"}' END
     WHERE id = $1 AND status IN ('pending', 'running', 'staged')`,
    [batch],
  );
  // What a batch has published into the tables that it made is not its leftover.
  if (status !== 'completed' && status !== 'rolled_back') await dropMade(database, batch);
}

async function dropReplaced(database: PgDatabase, { batch, schema, table }: Leftover): Promise<void> {
  const client = await database.session();
  const [kept] = await database.query<{ oid: number }>(
    'SELECT retained_oid AS oid FROM sluice.migration_publish WHERE batch_id = $1 AND retained_schema = $2 AND table_name = $3',
    [batch, schema, table],
  );
  await dropRetained(client, { schema, table, oid: kept?.oid ?? 0 }, database.patience);
  await database.query(
    'UPDATE sluice.migration_publish SET dropped_at = clock_timestamp() WHERE batch_id = $1 AND retained_schema = $2 AND table_name = $3',
    [batch, schema, table],
  );
}

/** Drops a table's images in one transaction with the record of it; with the last of a batch, its numbers. */
async function dropSaved(database: PgDatabase, { batch, schema, table, name }: Leftover): Promise<void> {
  const client = await database.session();
  const live = name.slice(0, name.length - table.length - 1);
  await patiently(client, database.patience, [
    ...imageTables(live, table).map((image) => `DROP TABLE IF EXISTS ${qualified(schema, image)}`),
    `UPDATE sluice.migration_publish SET dropped_at = pg_catalog.clock_timestamp() WHERE batch_id = ${literal(batch)} AND table_schema = ${literal(live)} AND table_name = ${literal(table)}`,
  ]);
  const [left] = await database.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM sluice.migration_publish WHERE batch_id = $1 AND mode <> 'replace' AND dropped_at IS NULL",
    [batch],
  );
  if (left?.n === 0)
    await patiently(client, database.patience, [`DROP TABLE IF EXISTS ${qualified(schema, COUNTS_TABLE)}`]);
  await dropOwnEmpty(database, batch, schema);
}

/** What all batches together keep for a rollback, in bytes, and in how many tables. */
export async function keptInAll(database: PgDatabase): Promise<{ tables: number; bytes: number }> {
  const all = (await findLeftovers(database, 0)).filter(
    ({ kind }) => kind === 'replaced table' || kind === 'old tables' || kind === 'saved rows',
  );
  return { tables: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}
