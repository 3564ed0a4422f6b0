import type { Change } from '../changes/change.js';
import { handedRows } from '../changes/handed.js';
import { isUnchanged } from '../changes/sequence.js';
import type { Job } from '../job/job.js';
import { decidingFiles } from './copied-files.js';
import { PATIENCE_MS, publishedAlready, tenthMs } from './published-already.js';

/** Loads of so many rows are compared with live even where that takes a while. */
const FEW_ROWS = 10_000;

/** Before the load: whether the ledger knows that there is nothing to load. */
export async function isPublishedAlready(job: Job): Promise<boolean> {
  if (decidingFiles(job) === undefined) return false;
  const what = 'asking the ledger whether live is this already';
  job.state.publishedBy = await job.phase('compare', what, () => publishedAlready(job));
  return job.state.publishedBy !== undefined;
}

/**
 * After the load: whether live is already what the publish would make of it. It is asked for no longer than a tenth of
 * what the load took.
 */
export async function changesNothing(job: Job, changes: readonly Change[]): Promise<boolean> {
  const staged = [...handedRows(job).values()].reduce((sum, rows) => sum + rows, 0);
  const tenth = tenthMs(job.state.timings.load ?? 0);
  const until = performance.now() + (staged > FEW_ROWS ? tenth : Math.max(tenth, PATIENCE_MS));
  return job.phase('compare', 'comparing with what is live', () => isUnchanged(changes, until));
}
