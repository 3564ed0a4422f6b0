import type { Checked } from './check/check.js';
import { logFailure, stateOf } from './end/fail.js';
import { asFailure } from './end/failure.js';
import type { Outcome } from './end/summary.js';
import type { Job } from './job/job.js';
import { assertAccounted } from './load/accounted.js';
import { loadDry } from './load/load.js';
import { foreseen } from './publish/counts.js';
import { summariseRecords } from './publish/record-summary.js';
import { assertKept } from './publish/shrink.js';

/**
 * Reads, transforms and type-checks every row as the load would, and writes nothing. Throws what a run would, as far as
 * that shows before anything is staged.
 */
export async function dryRun(job: Job, checked: Checked): Promise<Outcome> {
  try {
    job.state.accounts = await job.phase('load', 'reading, transforming and checking every row', () =>
      loadDry(job, checked),
    );
    summariseRecords(job, checked);
    assertAccounted(job);
    await assertKept(job, checked.changes);
    if (job.tables.length > 0)
      job.options.events?.note?.(
        'nothing was staged, so keys, foreign keys and other constraints were not asked: a rehearsal does that',
      );
    return { status: 'dry run', changes: foreseen(job, checked.changes) };
  } catch (error) {
    job.options.events?.records?.({ ...job.state.records, errors: job.rejects.frequent.top() });
    const failure = asFailure(error, job.signal);
    logFailure(job, failure);
    throw stateOf(failure, 'a dry run: nothing was written');
  } finally {
    await job.options.database.endSnapshot();
  }
}
