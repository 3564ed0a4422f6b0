import { type FlowAccount, totals } from '../../core/accounting.js';
import type { BatchStatus } from '../../core/batch-status.js';
import { batchCounts, moveBatch } from '../../db/ledger/batches.js';
import { forgetSegments } from '../../db/ledger/segments.js';
import { discard } from '../changes/discard.js';
import { dropMade } from '../changes/missing-tables.js';
import { lowerGuard } from '../changes/write-guard.js';
import type { Job } from '../job/job.js';
import { countsOf } from '../publish/record-summary.js';

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
  const { dropped, kept } = await dropMade(database, job.batch as string);
  if (dropped.length > 0)
    job.options.events?.note?.(`dropped again, since nothing is published: ${dropped.join(', ')}`);
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
