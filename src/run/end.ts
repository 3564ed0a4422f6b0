import { type FlowAccount, totals } from '../core/accounting.js';
import type { BatchStatus } from '../core/batch-status.js';
import { SluiceError } from '../core/errors.js';
import { batchCounts, moveBatch } from '../db/ledger/batches.js';
import { forgetSegments } from '../db/ledger/segments.js';
import { dropMade } from './create-missing.js';
import { discard } from './discard.js';
import { asFailure } from './failure.js';
import { lowerGuard } from './guard.js';
import type { Job } from './job.js';
import { goOnWith, isWorthResuming, keepForResume } from './keep.js';
import { countsOf } from './record-summary.js';

/** Ends a batch of which nothing is to be published: staging, guard and files go. */
export async function end(
  job: Job,
  status: BatchStatus,
  accounts: readonly FlowAccount[],
  set: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { database } = job.options;
  // The guard first: discarding staging needs locks that it may hold.
  await lowerGuard(job);
  await discard(database, job);
  const { kept } = await dropMade(database, job.batch as string);
  if (kept.length > 0)
    job.options.events?.warn?.(
      `${kept.join(', ')}, made for this run, could not be dropped again: they stay, empty or in use`,
    );
  await forgetSegments(database, job.batch as string);
  job.removeFiles();
  await moveBatch(database, job.batch as string, status, {
    accounting: accounts,
    reports: job.keptReports,
    input_columns: job.read.columns(),
    timings: job.timings,
    record_summary: job.records,
    progress: job.progress.inputs,
    ...(accounts.length > 0 && job.records.types.length > 0
      ? countsOf(job.records, accounts)
      : batchCounts({
          ...totals(accounts),
          ...(accounts.length === 0 ? { read: job.progress.rows } : {}),
          // The books know what an earlier attempt has rejected; without them there is the count of this one.
          rejected: accounts.length === 0 ? job.rejects.count : totals(accounts).rejected,
        })),
    ...set,
  });
}

/** Records the failure, discards staging, and says in the error what state things are in. */
export async function fail(job: Job, error: unknown, accounts: readonly FlowAccount[]): Promise<unknown> {
  const { log, database } = job.options;
  const batch = job.batch as string;
  const known = asFailure(error, job.signal);
  await job.stopped();
  const details = job.masking.details(known.facts.details ?? []);
  log.error(known.message, {
    code: known.code,
    ...known.facts,
    details,
    ...(job.masking.active
      ? { value: undefined, cause: undefined }
      : { cause: String(known.facts.cause ?? '') }),
  });
  if (known.code === 'outcome_unknown') return known;
  job.records = { ...job.records, errors: job.rejects.frequent.top() };
  if (job.records.errors.length > 0) job.options.events?.records?.(job.records);
  let goOn: string | undefined;
  let recorded = true;
  try {
    // The session may be what broke, or in the middle of it.
    await database.recover();
    await job.tracked?.giveUp();
    await job.rejects.flush().catch((second) => {
      log.error('the last rejects could not be stored', { error: String(second) });
    });
    if (isWorthResuming(job, known)) {
      // What goes on, should the ledger not be reached.
      goOn = goOnWith(job);
      goOn = await keepForResume(job, { code: known.code, message: known.message, details }, accounts);
    }
    if (goOn === undefined)
      await end(job, 'failed', accounts, {
        error: { code: known.code, message: known.message, details },
      });
  } catch (second) {
    // The first error is the one to be told; the next command finds the batch's process gone.
    recorded = false;
    log.error('the failure could not be recorded', { error: String(second) });
  }
  if (goOn !== undefined)
    return stateOf(
      resumable(known, goOn),
      `nothing was published; live tables are untouched; ${recorded ? `batch ${batch} is failed; its staging is kept` : 'staging is kept (the failure could not be recorded)'}`,
    );
  return stateOf(
    known,
    recorded
      ? `nothing was published; live tables are untouched; batch ${batch} is failed`
      : `nothing was published; live tables are untouched; staging ${job.names.staging} is left for \`sluice cleanup\``,
    `sluice status ${batch}`,
  );
}

/** What to do next is first of all to go on. */
function resumable(error: SluiceError, goOn: string): SluiceError {
  const { next = [], ...facts } = error.facts;
  return new SluiceError(error.kind, error.code, error.message, {
    ...facts,
    next: [`${goOn}   (goes on with what is loaded)`, ...[next].flat()],
  });
}

/** `error` with the state that the whole is in, and what to do next where the error does not say it. */
export function stateOf(error: unknown, state: string, next?: string): unknown {
  if (!(error instanceof SluiceError)) return error;
  // What an error says of its own state was true where it was thrown; this is the state of the whole.
  const { state: _, ...facts } = error.facts;
  return new SluiceError(error.kind, error.code, error.message, {
    ...facts,
    state,
    ...(facts.next === undefined && next !== undefined ? { next } : {}),
  });
}
