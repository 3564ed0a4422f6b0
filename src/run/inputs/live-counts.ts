import { type StageCounter, sum } from '../../core/accounting.js';

/** The counts of a batch while it runs. processed = success + error + skip, the rest of total is on its way. */
export interface LiveCounts {
  readonly total_records: number;
  readonly processed_records: number;
  readonly success_count: number;
  readonly error_count: number;
  readonly skip_count: number;
}

/**
 * The counts of the flows so far, each given by its counters, the source's first. A success is a row that some end
 * of its flow has taken; what a branch of a fork leaves out goes into another, and is not skipped.
 */
export function liveCounts(flows: Iterable<readonly StageCounter[]>): LiveCounts {
  let total = 0;
  let success = 0;
  let error = 0;
  let skip = 0;
  for (const counters of flows) {
    const [source] = counters;
    if (source === undefined) continue;
    const read = source.out + sum(source.rejected) + sum(source.skipped);
    let rejected = 0;
    let skipped = 0;
    let taken = 0;
    for (const counter of counters) {
      rejected += sum(counter.rejected);
      if (counter.branch === '') skipped += sum(counter.skipped) + sum(counter.kept) + sum(counter.left);
      if (counter.role === 'end') taken = Math.max(taken, counter.in - sum(counter.rejected));
    }
    total += read;
    error += rejected;
    skip += skipped;
    success += Math.max(0, Math.min(taken, read - rejected - skipped));
  }
  return {
    total_records: total,
    processed_records: success + error + skip,
    success_count: success,
    error_count: error,
    skip_count: skip,
  };
}
