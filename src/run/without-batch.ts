import type { Checked } from './check/check.js';
import { logFailure, stateOf } from './end/fail.js';
import { asFailure } from './end/failure.js';
import type { Outcome } from './end/summary.js';
import type { Job } from './job/job.js';
import { assertAccounted } from './load/accounted.js';
import { loadOther } from './load/load.js';
import { finishOthers, keepOthers } from './load/other-ends.js';

/**
 * Runs a pipeline that publishes nothing: its rows end in files, on stdout or in sinks of its own. There is no batch, and
 * nothing is noted anywhere. The files have their names when all of them are whole and the accounts are right.
 */
export async function runWithoutBatch(job: Job, checked: Pick<Checked, 'flows'>): Promise<Outcome> {
  try {
    const accounts = await job.phase('load', 'reading every row, and writing it', () =>
      loadOther(job, checked),
    );
    // Whoever read the rows has had enough of them.
    if (accounts === undefined) return { status: 'unread' };
    job.state.accounts = accounts;
    assertAccounted(job);
    await finishOthers(job);
    job.signal.throwIfAborted();
    await keepOthers(job);
    return { status: 'written' };
  } catch (error) {
    const failure = asFailure(error, job.signal);
    logFailure(job, failure);
    const made = job.state.files.map(({ path }) => path);
    throw stateOf(
      failure,
      made.length === 0
        ? 'no file was made'
        : `these files are whole and have their names: ${made.join(', ')}`,
    );
  } finally {
    await job.options.database.endSnapshot();
  }
}
