import type { ErrorCode } from '../../core/errors/catalogue/index.js';
import { isError } from '../../core/errors/is-error.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { again, command, type Next } from '../../core/next.js';
import { framesOf, stackOf, userFrames } from '../../core/stack.js';
import { isShutOut } from '../../db/connection-error.js';
import { noteBatch } from '../../db/ledger/batches.js';
import type { JobChanges } from '../changes/job-changes.js';
import { madeBy } from '../changes/missing-tables.js';
import { cleanUp } from '../given/cleanup-command.js';
import { mergeInstead } from '../given/merge-instead.js';
import { rerun } from '../given/next-command.js';
import type { Job } from '../job/job.js';
import { end } from './end.js';
import { asFailure } from './failure.js';
import { namingFullDisk } from './full-disk.js';
import {
  begunBy,
  isWorthResuming,
  isWorthSwapping,
  type Kept,
  keepForResume,
  keepStaged,
  loadOf,
} from './keep.js';

/**
 * Writes `error` to the log: all it knows, its steps as they are without a command line, and where it is an exception
 * the stack trace. Of values of the source nothing that may not be kept. Gives whether the
 * stack trace is worth a look.
 */
export function logFailure({ options, masking }: Job, error: SluiceError): boolean {
  const { next, cause, ...facts } = error.facts;
  const stack = cause === undefined && !isError(error, 'unexpected') ? undefined : stackOf(error);
  options.log.error(error.message, {
    'error.type': error.code,
    ...facts,
    details: masking.details(facts.details ?? []),
    ...(next === undefined ? {} : { next: [next].flat().map(String) }),
    ...(masking.active ? { value: undefined } : { cause: String(cause ?? '') }),
    ...(stack === undefined
      ? {}
      : { 'exception.stacktrace': masking.active ? framesOf(stack).join('\n') : stack }),
  });
  return stack !== undefined && (isError(error, ...EXCEPTIONS) || userFrames(stack).length > 0);
}

/** Errors behind which there is a mistake in somebody's code. */
const EXCEPTIONS: readonly ErrorCode[] = ['unexpected', 'stage_failed'];

/** Records the failure, discards staging, and says in the error what state things are in. */
export async function fail(job: Job, { all, guard }: JobChanges, error: unknown): Promise<unknown> {
  const { log, database } = job.options;
  const batch = job.batch as string;
  const failure = asFailure(error, job.signal);
  await job.state.stopped();
  const named = await namingFullDisk(database, failure, again());
  // What an attempt that goes on was given need not be what the batch was begun with.
  const afresh = isError(named, 'not_repeatable') ? [rerun(begunBy(job), {}, { lead: 'start afresh' })] : [];
  const merging = mergeInstead(job, named.facts);
  const known =
    merging.length + afresh.length === 0
      ? named
      : named.but({ next: [...[named.facts.next ?? []].flat(), ...afresh, ...merging] });
  const details = job.masking.details(known.facts.details ?? []);
  // What is refused is no fault in any code.
  const traced = logFailure(job, known) && job.state.logFile !== undefined && known.kind !== 'refused';
  const told = traced ? known.but({ log: job.state.logFile as string }) : known;
  if (isError(told, 'outcome_unknown')) return told;
  job.state.records = { ...job.state.records, errors: job.rejects.frequent.top() };
  if (job.state.records.errors.length > 0) job.options.events?.records?.(job.state.records);
  let keeps: Kept | undefined;
  let hindrance: unknown;
  let left = '';
  try {
    // The session may be what broke, or in the middle of it.
    await database.recover();
    await job.state.tracked?.giveUp();
    await job.rejects.flush().catch((second) => {
      log.error('the last rejects could not be stored', { error: String(second) });
    });
    if (isWorthSwapping(job, known)) keeps = await keepStaged(job, all);
    else if (isWorthResuming(job, known)) {
      // What goes on, should the ledger not be reached.
      keeps = loadOf(job);
      keeps = await keepForResume(job, all, { code: known.code, message: known.message, details });
    }
    if (keeps === undefined)
      await end(job, all, 'failed', {
        error: { code: known.code, message: known.message, details },
      });
    else await tellMade(job);
  } catch (second) {
    // The first error is the one to be told; the next command finds the batch's process gone.
    hindrance = second;
    // The batch stays as it is, so that the next command takes away what it left; this much it can say.
    const noted = isShutOut(second)
      ? Promise.resolve(false)
      : noteBatch(database, batch, {
          error: { code: known.code, message: known.message, details },
        }).then(() => true);
    left = (await noted.catch(() => false))
      ? 'what it left could not be tidied up'
      : 'the failure could not be recorded';
    log.error('the failure could not be recorded', { error: String(second) });
  }
  const recorded = hindrance === undefined;
  const said = recorded ? told : withHindrance(told, left, hindrance);
  const untouched = 'nothing was published; live tables are untouched';
  if (keeps !== undefined) {
    const kept =
      keeps.what === 'staged' ? `batch ${batch} is staged` : `batch ${batch} is failed; its staging is kept`;
    return stateOf(
      resumable(said, keeps, isShutOut(hindrance) || isShutOut(known) || isWorthSwapping(job, known)),
      `${untouched}; ${recorded ? kept : 'staging is kept (the failure could not be recorded)'}`,
    );
  }
  return stateOf(
    said,
    recorded
      ? `${untouched}; batch ${batch} is failed`
      : `${untouched}; staging ${job.names.staging} is left${guard.armed === undefined ? '' : ', and the write guard'}`,
    [command('status', [batch]), ...(recorded ? [] : [cleanUp()])],
  );
}

/** Says which tables that the batch has made wait with its staging. */
async function tellMade({ options: { database, events }, batch }: Job): Promise<void> {
  const made = await madeBy(database, batch as string);
  if (made.length === 0) return;
  const names = made.map(({ schema, table }) => `${schema}.${table}`);
  events?.note?.(`made for this batch, and kept for it to go on: ${names.join(', ')}`);
}

/** What to do next is first of all to go on; `last`: once the rest is done. */
function resumable(error: SluiceError, { what, next }: Kept, last: boolean): SluiceError {
  const steps = [error.facts.next ?? []].flat();
  return error.but({ kept: what, next: last ? [...steps, next.saying({ lead: 'then' })] : [next, ...steps] });
}

/** `error` with what could not be done after it, and why; who is not let in is told what to do about that. */
function withHindrance(error: SluiceError, what: string, hindrance: unknown): SluiceError {
  const { details = [], next } = error.facts;
  const why = hindrance instanceof Error ? hindrance.message : String(hindrance);
  const steps = isShutOut(hindrance) ? hindrance.facts.next : next;
  return error.but({
    details: [
      ...details,
      `${what}: ${why}`,
      ...(hindrance instanceof SluiceError ? (hindrance.facts.details ?? []) : []),
    ],
    ...(steps === undefined ? {} : { next: steps }),
  });
}

/** `error` with the state of the whole, and what to do next where it does not say; whatever is none of ours as it is. */
export function stateOf(error: unknown, state: string, next?: Next): unknown {
  if (!(error instanceof SluiceError)) return error;
  // What an error says of its own state was true where it was thrown; this is the state of the whole.
  return error.but({
    state,
    ...(error.facts.next === undefined && next !== undefined ? { next } : {}),
  });
}
