import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint } from '../../core/checkpoint.js';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import { resumeErrors } from '../../core/errors/catalogue/resume.js';
import { stagingErrors } from '../../core/errors/catalogue/staging.js';
import type { Suggestion } from '../../core/next.js';
import type { MetPart } from '../../core/parts.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { PgDatabase } from '../../db/connect.js';
import { type Batch, findBatch, holdBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { type LoadedParts, readParts } from '../../db/ledger/parts.js';
import { forgetRecords } from '../../db/ledger/records.js';
import { type Loaded, readSegments, type StagedEnd } from '../../db/ledger/segments.js';
import { qualified } from '../../db/quote.js';
import { putBackRefused, settleBefore } from '../broken-rows/refused-before.js';
import type { Checked } from '../check/check.js';
import { cleanUp } from '../given/cleanup-command.js';
import { awaitWriters } from '../given/load-session.js';
import { isCommand, publishing, rerun, resuming } from '../given/next-command.js';
import type { RunOptions } from '../given/options.js';
import { lockTables } from '../given/table-claims.js';
import { readOnce } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';
import { summariseRecords } from '../publish/record-summary.js';
import { endKey } from './flow-ends.js';
import { partsBefore } from './parts-resume.js';

/** How long the server may take to notice that the process which held the batch is gone. */
const HELD_MS = 10_000;

/** What of an earlier attempt at a batch is taken over. */
export interface TakenUp {
  /** What is committed, by `endKey`. */
  readonly checkpoints: ReadonlyMap<string, readonly Checkpoint[]>;
  /** What is committed in parts, by `endKey`. */
  readonly parts: ReadonlyMap<string, readonly MetPart[]>;
}

/**
 * The batch `id`, which a run of `pipeline` is to resume. Throws a usage error where it is in no state
 * to be resumed, saying what to do instead; `batch_busy` where its process goes on.
 */
export async function findResumable(pipeline: Pipeline, options: RunOptions, id: string): Promise<Batch> {
  const { database } = options;
  await requireLedger(database);
  const batch = await findDead(database, id);
  const afresh = rerun(batch);
  const { not_resumable: no } = resumeErrors;
  const of = { batch: id, resuming: resuming(batch), afresh };
  if (batch.pipeline !== pipeline.name)
    throw no.otherPipeline({ ...of, pipeline: batch.pipeline, given: pipeline.name });
  if (options.dryRun === true || options.rehearse === true || options.limit !== undefined)
    throw no.notPublished(of);
  if (batch.status === 'staged') throw no.loaded({ batch: id, publishing: publishing(batch) });
  if (batch.status === 'completed') throw no.completed(of);
  if (batch.status === 'rolled_back') throw no.rolledBack(of);
  if (batch.manifest?.repeatable !== true) throw no.notRepeatable({ ...of, why: notRepeatable(batch) });
  if (!batch.resumable) throw no.notLoaded({ ...of, cause: batch.error?.code });
  if (options.onlyRejectsOf !== undefined) throw no.rejectsGiven({ ...of, of: options.onlyRejectsOf });
  if (options.noSourceData === true && batch.manifest.noSourceData !== true)
    throw no.sourceDataKept({ ...of, without: rerun(batch, { flags: { sourceData: false } }) });
  for (const [name, value] of Object.entries(options.settings ?? {}))
    if (batch.settings[name] !== value) throw no.setting({ ...of, name, value: batch.settings[name] ?? '' });
  // A copy's settings are what its command says.
  if (isCommand(batch.pipeline_from))
    for (const [name, { default: value }] of Object.entries(pipeline.settings ?? {}))
      if (batch.settings[name] !== value) throw no.otherCopy({ ...of, name });
  await assertKept(database, batch, afresh);
  return batch;
}

/** Why a batch that broke off cannot be told from the rows that come by again; see `recordRun`. */
function notRepeatable({ manifest, only_rejects_of, dry_run }: Batch): string {
  if (manifest === null) return 'the ledger does not say how it was begun';
  const { inputs } = manifest;
  const once = readOnce(inputs).map((name) =>
    inputs[name]?.kind === 'stdin' ? 'stdin' : (inputs[name]?.label ?? name),
  );
  if (once.length > 0) return `${once.join(' and ')} could be read only once`;
  if (manifest.guard === 'lock')
    return 'it ran with --guard lock, whose lock went with its session, and nobody knows who wrote since';
  if (only_rejects_of !== null) return `it fed rejects of batch ${only_rejects_of} back`;
  return dry_run ? 'it was a rehearsal' : 'it was told to read a part of its input (--limit)';
}

/** The options of a resumed run: what the batch was begun with, where nothing else is said. */
export function resumedOptions(options: RunOptions, batch: Batch): RunOptions {
  const maxRejects = options.maxRejects ?? batch.manifest?.maxRejects;
  const guard = batch.manifest?.guard ?? 'journal';
  const allowEmpty = options.allowEmpty === true || batch.manifest?.allowEmpty === true;
  const stopOnError = options.stopOnError === true || batch.manifest?.stopOnError === true;
  const maxShrink = options.maxShrink ?? batch.manifest?.maxShrink;
  const noTriggers = batch.options.no_triggers === true ? { noTriggers: true } : {};
  const allowSuppressed = batch.options.allow_suppressed === true ? { allowSuppressed: true } : {};
  const rewriteOids = batch.options.rewrite_oids === true ? { rewriteOids: true } : {};
  return {
    ...options,
    ...noTriggers,
    ...allowSuppressed,
    ...rewriteOids,
    allowEmpty,
    stopOnError,
    noSourceData: batch.manifest?.noSourceData === true,
    guard,
    settings: batch.settings,
    // A batch keeps all of its records or none.
    records: batch.manifest?.records ?? 'none',
    ...(maxRejects === undefined ? {} : { maxRejects }),
    ...(maxShrink === undefined ? {} : { maxShrink }),
  };
}

async function findDead(database: PgDatabase, id: string): Promise<Batch> {
  for (const since = performance.now(); ; await sleep(100)) {
    const batch = await findBatch(database, id);
    if (!batch.alive) return batch;
    if (performance.now() - since > HELD_MS) throw ledgerErrors.batch_busy.process({ batch: id });
  }
}

/** Unlogged tables are emptied by a restart after a crash, and nobody can tell one from an orderly one. */
async function assertKept(database: PgDatabase, batch: Batch, afresh: Suggestion): Promise<void> {
  const emptied = await database.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN sluice.migration_batch b ON n.oid::int8::text = b.schemas -> n.nspname::text ->> 'oid' AND n.nspname ~ ('^sluice_staging_' || b.id || '(_[0-9]+)?$')
     WHERE b.id = $1 AND c.relkind = 'r' AND c.relpersistence = 'u'
       AND b.server_started_at <> pg_postmaster_start_time() ORDER BY 1`,
    [batch.id],
  );
  if (emptied.length === 0) return;
  throw resumeErrors.staging_emptied({ tables: emptied.map(({ name }) => name), cleanUp: cleanUp(), afresh });
}

/**
 * Takes the batch and its tables, and waits until nothing of the earlier attempt writes any more. Throws
 * `batch_busy` or `tables_busy`; staging is left as it is then.
 */
export async function holdStaging(job: Job, batch: string): Promise<void> {
  const { database } = job.options;
  await holdBatch(database, batch);
  await lockTables(database, job.tables);
  await awaitWriters(database, batch);
}

/**
 * Takes over what the earlier attempt has committed; undefined where its load is complete, and the job has its accounts.
 * Call holdStaging before. Throws refused `staging_differs` where staging does not hold the rows that the ledger tells of,
 * `guard_gone` where writes to live may have gone unseen.
 */
export async function takeUp(job: Job, checked: Checked, batch: Batch): Promise<TakenUp | undefined> {
  const { database } = job.options;
  const accounts = batch.accounting ?? [];
  const loaded = accounts.length > 0 ? [] : await readSegments(database, batch.id);
  const parts = accounts.length > 0 ? [] : await readParts(database, batch.id);
  for (const change of checked.changes.all) await change.adopt(batch);
  if (accounts.length > 0) {
    job.state.reports.push(...(batch.reports ?? []));
    job.state.filesBefore.push(...(batch.files ?? []));
    job.read.readBefore(batch.input_columns ?? {});
    job.state.accounts = accounts;
    await settleBefore(job, checked);
    if (batch.record_summary === null) summariseRecords(job, checked);
    else job.state.records = batch.record_summary;
    return undefined;
  }
  await putBackRefused(job, checked.changes);
  await assertHolds(database, batch, loaded, parts);
  await forgetRecords(database, batch.id);
  return {
    parts: await partsBefore(job, checked, batch, parts),
    checkpoints: new Map(loaded.map((end) => [endKey(end), end.checkpoints])),
  };
}

async function assertHolds(
  database: PgDatabase,
  batch: Batch,
  loaded: readonly Loaded[],
  parts: readonly LoadedParts[],
): Promise<void> {
  const wanted = new Map<string, number>();
  const add = ({ schema, table }: StagedEnd, rows: number) => {
    const name = qualified(schema, table);
    wanted.set(name, (wanted.get(name) ?? 0) + rows);
  };
  for (const end of loaded) add(end, end.checkpoints.at(-1)?.rows ?? 0);
  for (const end of parts) for (const { rows } of end.parts) add(end, rows);
  for (const [name, rows] of wanted) {
    const [counted] = await database.query<{ rows: number }>(
      `SELECT count(*)::float8 AS rows FROM ONLY ${name}`,
    );
    if (counted?.rows !== rows)
      throw stagingErrors.staging_differs.rows({
        staging: name,
        rows: counted?.rows ?? 0,
        committed: rows,
        afresh: rerun(batch),
      });
  }
}
