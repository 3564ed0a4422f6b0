import { type FlowAccount, sum } from '../../core/accounting.js';
import { isError } from '../../core/errors/is-error.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { moveBatch, noteBatch } from '../../db/ledger/batches.js';
import { forgetSegments } from '../../db/ledger/segments.js';
import { isDataError } from '../../db/server-error.js';
import { rejectMet } from '../broken-rows/broken-rows.js';
import { settleRefused } from '../broken-rows/refused-rows.js';
import type { Staged } from '../changes/staging.js';
import type { Surveyed } from '../changes/survey.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { assertAccounted } from '../load/accounted.js';
import { goLive, holdReady } from './go-live.js';
import type { Prepared } from './prepare.js';
import type { PublishedChanges } from './publish.js';
import { countsOf, summariseRecords } from './record-summary.js';
import { assertKept } from './shrink.js';
import { validate } from './validate.js';

/** How often staging is gone through again for rows that the publish refuses; each time there are less of them. */
const ROUNDS = 5;

/** A load that is complete, within its limit of rejects. */
export interface Loaded {
  readonly checked: Checked;
  readonly surveyed: Surveyed;
  readonly staged: Staged;
  readonly accounts: readonly FlowAccount[];
}

/** Staging as it was published, or is ready to be. */
export interface Published extends PublishedChanges {
  readonly prepared: Prepared;
}

/**
 * Asks the validations of what is loaded, makes it ready, and publishes it as far as the run is to. Where the server
 * refuses that because of a row, all such rows are found and become rejects, the rest is asked again, and it goes on
 * with that. `onBooks` is told of the books with them. Throws the refusal where it is no fault of loaded rows.
 */
export async function publishAround(
  job: Job,
  loaded: Loaded,
  onBooks: (accounts: readonly FlowAccount[]) => void,
): Promise<Published> {
  const attempt = new Attempt(job, loaded);
  await attempt.ask();
  for (let round = 1; ; round++) {
    try {
      return await attempt.publish();
    } catch (error) {
      if (round === ROUNDS || !isFaultOfRows(error)) throw error;
      job.options.log.info('the publish refuses rows; looking for all of them', { error: String(error) });
      if (!(await attempt.reject(error, onBooks))) throw error;
      await attempt.ask();
    }
  }
}

class Attempt {
  accounts: readonly FlowAccount[];
  #staged = false;

  constructor(
    private readonly job: Job,
    private readonly loaded: Loaded,
  ) {
    this.accounts = loaded.accounts;
  }

  /** Writes the books down and asks the validations of staging. */
  async ask(): Promise<void> {
    const { job, accounts } = this;
    const { database } = job.options;
    const batch = job.batch as string;
    await noteBatch(database, batch, {
      phase: 'validate',
      ...countsOf(job.records, accounts),
      record_summary: job.records,
      // With these the load is complete: a run that goes on from here reads nothing again.
      accounting: accounts,
      reports: job.keptReports,
      files: [...job.filesBefore, ...job.files],
    });
    await settleRefused(job);
    await forgetSegments(database, batch);
    job.validated = false;
    await job.phase('validate', 'asking the validations of staging', () =>
      validate(job, this.loaded.staged.places, accounts),
    );
    job.validated = true;
  }

  async publish(): Promise<Published> {
    const { job, accounts } = this;
    const { surveyed, staged } = this.loaded;
    await noteBatch(job.options.database, job.batch as string, { phase: 'prepare' });
    if (job.options.publish !== false) return goLive(job, surveyed, staged, accounts, () => this.#stage());
    const prepared = await holdReady(job, surveyed, staged, accounts);
    await this.#stage();
    return { prepared, changes: new Map(), lockMs: 0 };
  }

  /** Makes rejects of the rows because of which the publish ended in `error`; whether there are any. */
  async reject(error: SluiceError, onBooks: (accounts: readonly FlowAccount[]) => void): Promise<boolean> {
    const { job, loaded } = this;
    const before = rejectedOf(this.accounts);
    this.accounts = await job.phase('reject', 'finding the rows that the publish refuses', () =>
      rejectMet(job, { ...loaded, flows: loaded.checked.flows, accounts: this.accounts }, error),
    );
    if (rejectedOf(this.accounts) === before) return false;
    onBooks(this.accounts);
    await job.tracked?.finishAgain();
    job.records = summariseRecords(job, loaded.checked, this.accounts);
    assertAccounted(job, this.accounts);
    await assertKept(job, this.accounts, loaded.surveyed.rows);
    return true;
  }

  async #stage(): Promise<void> {
    const { job, accounts } = this;
    const { database } = job.options;
    const set = { accounting: accounts, reports: job.keptReports, timings: job.timings };
    if (this.#staged) await noteBatch(database, job.batch as string, set);
    else await moveBatch(database, job.batch as string, 'staged', set);
    this.#staged = true;
  }
}

/** Whether `error` is the server's about the data of rows, be it in the publish or as staging was made ready. */
function isFaultOfRows(error: unknown): error is SluiceError {
  // Live has lost the row, or got another one, since the rows were asked.
  if (isError(error, 'key_not_in_live', 'key_not_unique')) return true;
  return isError(error, 'publish', 'constraint', 'orphans') && isDataError(error.facts.cause);
}

function rejectedOf(accounts: readonly FlowAccount[]): number {
  return accounts.reduce(
    (all, { stages }) => all + stages.reduce((rows, { rejected }) => rows + sum(rejected), 0),
    0,
  );
}
