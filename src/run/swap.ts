import { rollbackErrors } from '../core/errors/catalogue/rollback.js';
import { isError } from '../core/errors/is-error.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import { type NextStep, Suggestion } from '../core/next.js';
import type { Pipeline } from '../core/pipeline.js';
import { type Batch, findBatch, holdBatch, noteBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { JobChanges } from './changes/job-changes.js';
import { releaseAll } from './changes/sequence.js';
import { checkTables } from './check/check.js';
import { assertChecked } from './check/findings.js';
import { completed } from './end/completed.js';
import { asFailure } from './end/failure.js';
import { namingFullDisk } from './end/full-disk.js';
import { stopStatements } from './end/stopping.js';
import { failedSummary, type Outcome, summaryOf } from './end/summary.js';
import { publishing, reload } from './given/next-command.js';
import type { RunOptions } from './given/options.js';
import type { Summary } from './given/summary.js';
import { lockTables } from './given/table-claims.js';
import { Job } from './job/job.js';
import { assertSessions, SESSIONS_OF_A_SWAP } from './load/sessions.js';
import { resolveInterrupted } from './maintain/recover.js';
import { goLive } from './publish/go-live.js';
import { assertKept } from './publish/shrink.js';
import { validate } from './publish/validate.js';

/** The staged batch `id`; throws where it is in another state. */
export async function findStaged(database: RunOptions['database'], id: string): Promise<Batch> {
  await requireLedger(database);
  const batch = await findBatch(database, id);
  if (batch.status === 'staged') return batch;
  if (batch.status === 'completed') throw rollbackErrors.not_staged.published({ batch: id });
  throw rollbackErrors.not_staged.other({
    batch: id,
    status: batch.status.replace('_', ' '),
    reload: reload(batch),
  });
}

/**
 * Publishes a batch that `load` has staged: surveys the tables afresh, asks the validations once more (live
 * may have changed), brings staging up to what live now is, and runs the window. A failure leaves staging as
 * it is, to be tried again.
 */
export async function swapBatch(pipeline: Pipeline, batch: Batch, options: RunOptions): Promise<Summary> {
  const { database } = options;
  const job = await Job.prepare(pipeline, {
    ...options,
    settings: batch.settings,
    givenBefore: Object.entries(batch.manifest?.inputs ?? {}).flatMap(([name, { given }]) =>
      given ? [name] : [],
    ),
    guard: batch.manifest?.guard ?? 'off',
    records: batch.manifest?.records ?? 'none',
    noSourceData: batch.manifest?.noSourceData === true,
    ...(batch.manifest?.fills === undefined ? {} : { fills: batch.manifest.fills }),
    ...(batch.options.no_triggers === true ? { noTriggers: true } : {}),
    ...asLoaded(batch, options),
  });
  job.state.stopped = stopStatements(database, job.signal);
  try {
    return summaryOf(job, await swap(job, batch));
  } catch (error) {
    const told = stillStaged(
      await namingFullDisk(database, asFailure(error, job.signal), publishing(batch)),
      batch,
    );
    options.events?.failed?.(failedSummary(job, told));
    throw told;
  } finally {
    await job.state.stopped();
    await job.clear();
  }
}

/** What the load was allowed is allowed now, unless the command says otherwise. */
function asLoaded(
  { options, manifest: record }: Pick<Batch, 'options' | 'manifest'>,
  given: Pick<RunOptions, 'maxShrink' | 'rewriteOids'>,
): Pick<RunOptions, 'allowSuppressed' | 'rewriteOids' | 'allowEmpty' | 'maxShrink'> {
  const maxShrink = given.maxShrink ?? record?.maxShrink;
  return {
    ...(options.allow_suppressed === true ? { allowSuppressed: true } : {}),
    ...(options.rewrite_oids === true || given.rewriteOids === true ? { rewriteOids: true } : {}),
    ...(record?.allowEmpty === true ? { allowEmpty: true } : {}),
    ...(maxShrink === undefined ? {} : { maxShrink }),
  };
}

/** A swap that was asked to stop has lost nothing. */
function stillStaged(caught: SluiceError, batch: Batch): SluiceError {
  const { id } = batch;
  const { next } = caught.facts;
  // What was written to live since the load only another load knows.
  const unguarded = isError(caught, 'live_written_during_load', 'guard_missing');
  const error = unguarded
    ? caught.but({ next: reload(batch, { note: 'it reads what was written' }) })
    : next === undefined
      ? caught
      : caught.but({ next: [next].flat().map((step) => ofTheLoad(step, batch)) });
  const state = `nothing was published; live tables are untouched; batch ${id} is staged`;
  if (error.kind !== 'interrupted') return error.with({ state });
  return error.but({ state, next: publishing(batch) });
}

/** What a swap can be told of what a load can. */
const TOLD: ReadonlySet<string> = new Set(['maxShrink', 'allowSuppressed', 'rewriteOids', 'runOwnersCode']);

/** A change of the command that a swap does not know is one of the command that has loaded the batch. */
function ofTheLoad(step: NextStep, batch: Batch): NextStep {
  if (!(step instanceof Suggestion) || step.meant.kind !== 'again') return step;
  const { change } = step.meant;
  const told = [...(change.drop ?? []), ...Object.keys(change.flags ?? {})].every((flag) => TOLD.has(flag));
  return told ? step : reload(batch, step.said, change);
}

async function swap(job: Job, batch: Batch): Promise<Outcome> {
  const { database, events } = job.options;
  await assertSessions(database, SESSIONS_OF_A_SWAP);
  job.begin(batch.id);
  const changes = new JobChanges(job);
  await holdBatch(database, batch.id);
  await resolveInterrupted(database, events);
  await lockTables(database, job.tables);
  job.state.accounts = batch.accounting ?? [];
  assertChecked(await job.phase('check', 'looking at the tables again', () => checkTables(job, changes)));
  for (const change of changes.all) await change.adopt(batch);
  await job.phase('validate', 'asking the validations of staging', () => validate(job, changes.places));
  await assertKept(job, changes);
  const published = await goLive(job, changes).catch(async (error: unknown) => {
    // Staging is kept, to be tried again; until then it must not stand in live's way.
    await job.state.stopped();
    await database.recover();
    // What cannot be had of that now, the next command does: the batch's phase tells it.
    await releaseAll(changes.all)
      .then(() => noteBatch(database, batch.id, { phase: null }))
      .catch(() => {});
    throw error;
  });
  return completed(job, changes, published, batch.record_summary ?? job.state.records, batch.timings ?? {});
}
