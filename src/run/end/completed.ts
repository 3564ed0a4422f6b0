import type { RecordSummary } from '../../core/record-summary.js';
import { noteBatch } from '../../db/ledger/batches.js';
import type { JobChanges } from '../changes/job-changes.js';
import { tidyAll } from '../changes/sequence.js';
import type { Job } from '../job/job.js';
import { committedChanges } from '../publish/counts.js';
import { publishedRecords } from '../publish/record-summary.js';
import type { PublishedChanges } from '../publish/window.js';
import { afterCommit } from './stopping.js';
import type { Outcome } from './summary.js';

/**
 * What is left to do once the publish has committed, which is short and asked for: what it did is counted and noted, and
 * what it leaves is tidied up. Does not throw: whoever was told of a failure would do it twice. `before`: what took place
 * of it in an earlier command.
 */
export async function completed(
  job: Job,
  changes: JobChanges,
  published: PublishedChanges,
  records: RecordSummary,
  before: Readonly<Record<string, number>> = {},
): Promise<Outcome> {
  const { database } = job.options;
  const batch = job.batch as string;
  let { changes: done } = published;
  await job.state.stopped();
  await afterCommit(job.options, job.signal, `batch ${batch} is published`, async () => {
    done = await committedChanges(job, done);
    job.state.records = await publishedRecords(job, records);
    await noteBatch(database, batch, {
      timings: { ...before, ...job.state.timings },
      record_summary: job.state.records,
    });
    await tidyAll(changes.all);
    await noteBatch(database, batch, { phase: null });
  });
  return { status: 'completed', changes: done, lockMs: published.lockMs };
}
