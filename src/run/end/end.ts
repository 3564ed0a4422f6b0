import { totals } from '../../core/accounting.js';
import type { BatchStatus } from '../../core/batch-status.js';
import { batchCounts, moveBatch } from '../../db/ledger/batches.js';
import { forgetLoaded } from '../../db/ledger/segments.js';
import type { Change } from '../changes/change.js';
import { discardAll } from '../changes/sequence.js';
import type { Job } from '../job/job.js';
import { countsOf } from '../publish/record-summary.js';

/** Ends a batch of which nothing is to be published: staging, guard and files go. */
export async function end(
  job: Job,
  changes: readonly Change[],
  status: BatchStatus,
  set: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { database } = job.options;
  const { accounts } = job.state;
  await discardAll(changes);
  await forgetLoaded(database, job.batch as string);
  job.removeFiles();
  await moveBatch(database, job.batch as string, status, {
    accounting: accounts,
    reports: job.keptReports,
    input_columns: job.read.columns(),
    timings: job.state.timings,
    record_summary: job.state.records,
    progress: job.progress.inputs,
    ...(accounts.length > 0 && job.state.records.types.length > 0
      ? countsOf(job.state.records, accounts)
      : batchCounts({
          ...totals(accounts),
          ...(accounts.length === 0 ? { read: job.progress.rows } : {}),
          // The accounts know what an earlier attempt has rejected; without them there is the count of this one.
          rejected: accounts.length === 0 ? job.rejects.count : totals(accounts).rejected,
        })),
    ...set,
  });
}
