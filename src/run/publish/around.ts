import { type FlowAccount, sum } from '../../core/accounting.js';
import { isError } from '../../core/errors/is-error.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { moveBatch, noteBatch } from '../../db/ledger/batches.js';
import { forgetLoaded } from '../../db/ledger/segments.js';
import { isDataError } from '../../db/server-error.js';
import { rejectMet } from '../broken-rows/broken-rows.js';
import { settleRefused } from '../broken-rows/refused-rows.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { assertAccounted } from '../load/accounted.js';
import { goLive, holdReady } from './go-live.js';
import { countsOf, summariseRecords } from './record-summary.js';
import { assertKept } from './shrink.js';
import { validate } from './validate.js';
import type { PublishedChanges } from './window.js';

/** How often staging is gone through again for rows that the publish refuses; each time there are less of them. */
const ROUNDS = 5;

/**
 * Asks the validations of what is loaded, makes it ready, and publishes it as far as the run is to. Where the server
 * refuses that because of a row, all such rows are found and become rejects, the rest is asked again, and it goes on
 * with that; the job has the accounts with them. Throws the refusal where it is no fault of loaded rows.
 */
export async function publishAround(
  job: Job,
  checked: Pick<Checked, 'flows' | 'columns'>,
  changes: JobChanges,
): Promise<PublishedChanges> {
  const attempt = new Attempt(job, checked, changes);
  await attempt.ask();
  for (let round = 1; ; round++) {
    try {
      return await attempt.publish();
    } catch (error) {
      if (round === ROUNDS || !isFaultOfRows(error)) throw error;
      job.options.log.info('the publish refuses rows; looking for all of them', { error: String(error) });
      if (!(await attempt.reject(error))) throw error;
      await attempt.ask();
    }
  }
}

class Attempt {
  #staged = false;

  constructor(
    private readonly job: Job,
    private readonly checked: Pick<Checked, 'flows' | 'columns'>,
    private readonly changes: JobChanges,
  ) {}

  /** Writes the accounts down and asks the validations of staging. */
  async ask(): Promise<void> {
    const { job } = this;
    const { accounts } = job.state;
    const { database } = job.options;
    const batch = job.batch as string;
    await noteBatch(database, batch, {
      phase: 'validate',
      ...countsOf(job.state.records, accounts),
      record_summary: job.state.records,
      // With these the load is complete: a run that goes on from here reads nothing again.
      accounting: accounts,
      reports: job.keptReports,
      files: [...job.state.filesBefore, ...job.state.files],
    });
    await settleRefused(job);
    await forgetLoaded(database, batch);
    job.state.validated = false;
    await job.phase('validate', 'asking the validations of staging', () =>
      validate(job, this.changes.places),
    );
    job.state.validated = true;
  }

  async publish(): Promise<PublishedChanges> {
    const { job, changes } = this;
    await noteBatch(job.options.database, job.batch as string, { phase: 'prepare' });
    if (job.options.publish !== false) return goLive(job, changes, () => this.#stage());
    await holdReady(job, changes);
    await this.#stage();
    return { changes: new Map(), lockMs: 0 };
  }

  /** Makes rejects of the rows because of which the publish ended in `error`; whether there are any. */
  async reject(error: SluiceError): Promise<boolean> {
    const { job, checked, changes } = this;
    const before = rejectedOf(job.state.accounts);
    const accounts = await job.phase('reject', 'finding the rows that the publish refuses', () =>
      rejectMet(job, { flows: checked.flows, changes, accounts: job.state.accounts }, error),
    );
    if (rejectedOf(accounts) === before) return false;
    job.state.accounts = accounts;
    await job.state.tracked?.finishAgain();
    summariseRecords(job, checked);
    assertAccounted(job);
    await assertKept(job, changes);
    return true;
  }

  async #stage(): Promise<void> {
    const { job } = this;
    const { accounts } = job.state;
    const { database } = job.options;
    const set = { accounting: accounts, reports: job.keptReports, timings: job.state.timings };
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
