import { totals } from '../../core/accounting.js';
import type { ErrorCode } from '../../core/errors/catalogue/index.js';
import { isError } from '../../core/errors/is-error.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Suggestion } from '../../core/next.js';
import { isOutOfReach } from '../../db/connection-error.js';
import { type Batch, batchCounts, findBatch, moveBatch, noteBatch } from '../../db/ledger/batches.js';
import { isLoaded } from '../../db/ledger/segments.js';
import type { Change } from '../changes/change.js';
import { releaseAll } from '../changes/sequence.js';
import { ledgerOptions } from '../given/ledger-options.js';
import { type Begun, publishing, resuming } from '../given/next-command.js';
import type { Job } from '../job/job.js';

/**
 * Whether a run that ended in `error` is worth resuming: its staging is kept then. A database or an input out of reach says
 * nothing of the rows: what is loaded is as good as before.
 */
export function isWorthResuming(job: Job, error: SluiceError): boolean {
  const passes =
    isOutOfReach(error) ||
    isError(error, 'input_out_of_reach') ||
    (error.kind === 'interrupted' && job.options.keepStaging === true);
  return passes && job.state.manifest?.repeatable === true;
}

/** Refusals of tables that were altered under the load: who takes that back has nothing to load again. */
const ALTERED: readonly ErrorCode[] = ['check_refused', 'catalog_changed'];

/**
 * Whether a run that ended in `error` has staged all there is to publish, and only what was altered in the database
 * stands against it. Not where the guard ends with the command, nor where rejects are resubmitted.
 */
export function isWorthSwapping(job: Job, error: SluiceError): boolean {
  const { rehearse, guard } = job.options;
  return (
    isError(error, ...ALTERED) &&
    job.state.validated &&
    rehearse !== true &&
    guard !== 'lock' &&
    job.resubmitted === undefined
  );
}

/** What is kept of a batch, and the command that resumes it. */
export interface Kept {
  readonly what: 'load' | 'staged';
  readonly next: Suggestion;
}

/** Leaves the batch staged, as `load` does. May be repeated. */
export async function keepStaged(job: Job, changes: readonly Change[]): Promise<Kept> {
  const { database } = job.options;
  const batch = job.batch as string;
  await releaseAll(changes);
  if ((await findBatch(database, batch)).status !== 'staged')
    await moveBatch(database, batch, 'staged', { timings: job.state.timings });
  await noteBatch(database, batch, { phase: null });
  return swapOf(job);
}

const swapOf = (job: Job): Kept => ({
  what: 'staged',
  next: publishing(begunBy(job), { note: 'publishes what is staged' }),
});

/** The job's load as it is kept, as far as this process knows. */
export function loadOf(job: Job): Kept {
  return { what: 'load', next: resuming(begunBy(job), { note: 'resumes with what is loaded' }, true) };
}

/** How the job's batch was begun, as far as this process knows. */
export function begunBy(job: Job): Begun & Pick<Batch, 'id'> {
  return {
    id: job.batch as string,
    pipeline_from: job.options.from ?? job.pipeline.name,
    manifest: job.state.manifest ?? null,
    settings: job.settings,
    options: ledgerOptions(job.options),
  };
}

/**
 * Records the failure and keeps staging, guard and files for a run that goes on; a batch that is staged stays
 * so. Undefined where nothing is loaded yet, and nothing was done. May be repeated.
 */
export async function keepForResume(
  job: Job,
  changes: readonly Change[],
  error: { readonly code: string; readonly message: string; readonly details: readonly string[] },
): Promise<Kept | undefined> {
  const { database } = job.options;
  const { accounts } = job.state;
  const loaded = accounts.length > 0 || (await isLoaded(database, job.batch as string));
  if (!loaded) return undefined;
  // Until somebody goes on, staging must not stand in live's way.
  await releaseAll(changes);
  const batch = await findBatch(database, job.batch as string);
  if (batch.status === 'staged') {
    await noteBatch(database, batch.id, { phase: null });
    return swapOf(job);
  }
  if (batch.status !== 'failed')
    await moveBatch(database, batch.id, 'failed', {
      timings: job.state.timings,
      record_summary: job.state.records,
      progress: job.progress.inputs,
      ...batchCounts({
        ...totals(accounts),
        ...(accounts.length === 0 ? { read: job.progress.rows } : {}),
        rejected: accounts.length === 0 ? job.rejects.count : totals(accounts).rejected,
      }),
      error,
    });
  return loadOf(job);
}
