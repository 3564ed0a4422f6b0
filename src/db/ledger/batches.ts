import type { FlowAccount, Totals } from '../../core/accounting.js';
import { type BatchStatus, reachableFrom } from '../../core/batch-status.js';
import type { Changes } from '../../core/changes.js';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import { jsonText } from '../../core/json/write.js';
import { packageVersion } from '../../core/package.js';
import type { RecordSummary } from '../../core/record-summary.js';
import type { Report } from '../../core/report.js';
import type { Database } from '../../core/run.js';
import type { HostsLoaded } from './hosts.js';
import type { RunManifest } from './run-manifest.js';

/** A batch as the ledger holds it. Counts are rows; times are the server's. */
export interface Batch {
  readonly id: string;
  readonly pipeline: string;
  readonly pipeline_from: string;
  readonly source: string;
  readonly source_file: string | null;
  readonly status: BatchStatus;
  readonly phase: string | null;
  readonly total_records: number;
  readonly processed_records: number;
  readonly success_count: number;
  readonly error_count: number;
  readonly skip_count: number;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly completed_at: Date | null;
  readonly started_by: string;
  /** It was a rehearsal. */
  readonly dry_run: boolean;
  readonly settings: Readonly<Record<string, string>>;
  /** What the command wanted of the publish, for a `swap` later; the tables that the batch made. */
  readonly options: {
    readonly no_triggers?: boolean;
    readonly allow_suppressed?: boolean;
    readonly rewrite_oids?: boolean;
    /** Suggested commands say it again; a swap or rollback is told it anew. */
    readonly run_owners_code?: boolean;
    readonly made?: readonly { readonly schema: string; readonly table: string; readonly oid: number }[];
  };
  /** These two are named by the batch's id, whatever the ledger has; null before they are made. */
  readonly staging_schema: string | null;
  readonly old_schema: string | null;
  readonly accounting: readonly FlowAccount[] | null;
  readonly reports: readonly Report[] | null;
  /** The columns of every input that was read, by what rejects call it. */
  readonly input_columns: Readonly<Record<string, readonly string[]>> | null;
  /** It read corrected rejects of that batch, and nothing else. */
  readonly only_rejects_of: string | null;
  readonly timings: Readonly<Record<string, number>> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly log_file: string | null;
  readonly files: readonly { readonly path: string; readonly what: string }[] | null;
  readonly manifest: RunManifest | null;
  /** Of a batch that loads or has loaded. */
  readonly progress: readonly InputProgress[] | null;
  readonly record_summary: RecordSummary | null;
  /** What workers have loaded of it, once its load has ended. */
  readonly workers: HostsLoaded | null;
  /** What it would have done to the rows of each table, or found nothing to do with; of what it published see there. */
  readonly changes: Readonly<Record<string, Changes>> | null;
  /** Rows of it are in staging, no process works on it, and its inputs can be read again. */
  readonly resumable: boolean;
  /** Whether the process that runs it still holds its lock. */
  readonly alive: boolean;
}

/** How far an input of a running batch is: rows read, and bytes or rows of it, with their total where known. */
export interface InputProgress {
  readonly input: string;
  readonly rows: number;
  readonly done: number;
  readonly unit: 'bytes' | 'rows';
  readonly of: number | null;
}

/** Whether a session holds the lock of the batch `b`, as SQL. */
export const ALIVE = `EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = ${lockClass()}
          AND l.objid = (b.id % 2147483647)::int::oid AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** Whether the staging that the batch `b` has made is there, and is the same, as SQL. */
const STAGING_THERE = `EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'sluice_staging_' || b.id
      AND n.oid::int8::text = b.schemas -> n.nspname::text ->> 'oid')`;

const COLUMNS = `b.id::text, b.pipeline, b.pipeline_from, b.source, b.source_file, b.status, b.phase,
  b.total_records::float8, b.processed_records::float8, b.success_count::float8, b.error_count::float8,
  b.skip_count::float8, b.created_at, b.started_at, b.completed_at, b.started_by, b.dry_run, b.settings, b.options,
  CASE WHEN b.staging_schema IS NOT NULL THEN 'sluice_staging_' || b.id END AS staging_schema,
  CASE WHEN b.old_schema IS NOT NULL THEN 'sluice_old_' || b.id END AS old_schema, b.accounting, b.reports, b.input_columns, b.only_rejects_of::text, b.timings,
  b.error, b.log_file, b.files, b.manifest, b.progress, b.record_summary, b.workers, b.changes, ${ALIVE} AS alive,
  (b.manifest->>'repeatable')::boolean IS TRUE AND NOT ${ALIVE} AND (b.status IN ('pending', 'running')
    OR b.status = 'failed' AND ${STAGING_THERE})
    AND (coalesce(jsonb_array_length(b.accounting), 0) > 0
      OR EXISTS (SELECT FROM sluice.migration_segment s WHERE s.batch_id = b.id)
      OR EXISTS (SELECT FROM sluice.migration_part p WHERE p.batch_id = b.id)) AS resumable`;

/** The class of the advisory lock that a running batch's session holds; the object is the batch's id. */
function lockClass(): number {
  return 0x51c1ce;
}

/** Starts a batch: a row in `pending`, and a lock on it that ends with this session. */
export async function startBatch(
  database: Database,
  batch: {
    readonly pipeline: string;
    readonly from: string;
    readonly source: string;
    readonly sourceFile: string | undefined;
    readonly settings: Readonly<Record<string, string>>;
    readonly options: Batch['options'];
    readonly stopOnError: boolean;
    /** Left out: nobody can resume it. */
    readonly record?: RunManifest | undefined;
    readonly onlyRejectsOf?: string | undefined;
  },
): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO sluice.migration_batch
       (pipeline, pipeline_from, source, source_file, settings, dry_run, stop_on_error, sluice_version, options,
        only_rejects_of, manifest)
     VALUES ($1, $2, $3, $4, $5, false, $6, $7, $8, $9, $10) RETURNING id::text`,
    [
      batch.pipeline,
      batch.from,
      batch.source,
      batch.sourceFile ?? null,
      JSON.stringify(batch.settings),
      batch.stopOnError,
      packageVersion,
      JSON.stringify(batch.options),
      batch.onlyRejectsOf ?? null,
      batch.record === undefined ? null : JSON.stringify(batch.record),
    ],
  );
  const id = (row as { id: string }).id;
  await holdBatch(database, id);
  return id;
}

/** Takes the lock that says "somebody is working on this batch"; throws `batch_busy` where another has it. */
export async function holdBatch(database: Database, id: string): Promise<void> {
  const [row] = await database.query<{ held: boolean }>(
    `SELECT pg_try_advisory_lock(${lockClass()}, ($1::bigint % 2147483647)::int) AS held`,
    [id],
  );
  if (row?.held !== true) throw ledgerErrors.batch_busy.otherCommand({ batch: id });
}

/**
 * Moves a batch to `status` if that is a legal move, setting the given columns with it.
 * Throws `illegal_move` otherwise.
 */
export async function moveBatch(
  database: Database,
  id: string,
  status: BatchStatus,
  set: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { sql, parameters } = moveSql(id, status, set);
  const moved = await database.query(sql, parameters);
  if (moved.length === 0) throw ledgerErrors.illegal_move({ batch: id, status });
}

/** The statement of `moveBatch`; gives a row where the batch moved. Values are parameters from $3 on. */
function moveSql(
  id: string,
  status: BatchStatus,
  set: Readonly<Record<string, unknown>> = {},
): { readonly sql: string; readonly parameters: unknown[] } {
  const parameters: unknown[] = [id, status];
  const assignments = ['status = $2'];
  if (status === 'running') assignments.push('started_at = clock_timestamp()');
  else assignments.push('completed_at = clock_timestamp()', 'phase = NULL');
  for (const [column, value] of Object.entries(set)) {
    parameters.push(typeof value === 'object' && value !== null ? jsonText(value) : value);
    assignments.push(`${column} = $${parameters.length}`);
  }
  const legal = reachableFrom(status)
    .map((from) => `'${from}'`)
    .join(', ');
  return {
    sql: `UPDATE sluice.migration_batch SET ${assignments.join(', ')} WHERE id = $1 AND status IN (${legal}) RETURNING id`,
    parameters,
  };
}

/** Sets columns of a batch without moving it. */
export async function noteBatch(
  database: Database,
  id: string,
  set: Readonly<Record<string, unknown>>,
): Promise<void> {
  const parameters: unknown[] = [id];
  const assignments = Object.entries(set).map(([column, value]) => {
    parameters.push(typeof value === 'object' && value !== null ? jsonText(value) : value);
    return `${column} = $${parameters.length}`;
  });
  await database.query(
    `UPDATE sluice.migration_batch SET ${assignments.join(', ')} WHERE id = $1`,
    parameters,
  );
}

/** The counts of MigrationBatch from a run's totals: processed = success + error + skip. */
export function batchCounts(totals: Totals): Readonly<Record<string, number>> {
  return {
    total_records: totals.read,
    processed_records: totals.read,
    success_count: Math.max(0, totals.read - totals.rejected - totals.skipped),
    error_count: totals.rejected,
    skip_count: totals.skipped,
  };
}

/** The batch `id`. Throws a usage error where there is none, or the ledger is missing. */
export async function findBatch(database: Database, id: string): Promise<Batch> {
  if (!/^[1-9][0-9]{0,17}$/.test(id)) throw ledgerErrors.no_such_batch.notAnId({ id });
  const [batch] = await database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b WHERE id = $1`,
    [id],
  );
  if (batch === undefined) throw ledgerErrors.no_such_batch.unknown({ id });
  return batch;
}

/** Which of the batches run, or did when their process ended and may be resumed. */
export async function stillRunning(database: Database, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ id: string }>(
    `SELECT id::text AS id FROM sluice.migration_batch WHERE id = ANY ($1::bigint[]) AND status = 'running'`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The latest batches, newest first. */
export async function listBatches(database: Database, limit: number): Promise<Batch[]> {
  return database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b ORDER BY b.id DESC LIMIT $1`,
    [limit],
  );
}

/**
 * Batches that no process works on any more, though one has begun to change something for them: an
 * unfinished load, an unfinished publish or undo, or tidying up after one.
 */
export async function listInterrupted(database: Database): Promise<Batch[]> {
  const begun = await database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b
     WHERE b.status IN ('pending', 'running') OR b.phase IS NOT NULL ORDER BY b.id`,
  );
  return begun.filter((batch) => !batch.alive);
}

/** Gives back the lock that holdBatch took. */
export async function releaseBatch(database: Database, id: string): Promise<void> {
  await database.query(`SELECT pg_advisory_unlock(${lockClass()}, ($1::bigint % 2147483647)::int)`, [id]);
}

/** The batches that have not come to an end, and do not wait to be published. */
export async function listUnfinished(database: Database): Promise<Batch[]> {
  return database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b WHERE b.status IN ('pending', 'running') ORDER BY b.id`,
  );
}

/** The staged batches whose staging somebody has dropped: nobody can publish them any more. */
export async function listEmptied(database: Database): Promise<Batch[]> {
  return database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b WHERE b.status = 'staged' AND NOT ${ALIVE}
       AND NOT ${STAGING_THERE} ORDER BY b.id`,
  );
}

/** The failed batches of which staging is kept, so that a run can resume them. */
export async function listKept(database: Database): Promise<Batch[]> {
  return database.query<Batch & Record<string, unknown>>(
    `SELECT ${COLUMNS} FROM sluice.migration_batch b WHERE b.status = 'failed' AND NOT ${ALIVE}
       AND ${STAGING_THERE} ORDER BY b.id`,
  );
}
