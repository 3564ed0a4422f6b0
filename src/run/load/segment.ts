import type { OnSegment } from '../../../sinks/load/copy/segments.js';
import { tally } from '../../core/accounting.js';
import type { FlowMark } from '../../core/bookmark.js';
import type { RefusedRow } from '../../core/checkpoint.js';
import { recordSegment, type StagedEnd } from '../../db/ledger/segments.js';
import type { Job } from '../job/job.js';

/** What records the segments of `end` in the ledger, each in its own transaction. `input` is the flow's source, by name. */
export function segmentNoter(job: Job, end: StagedEnd, input: string): OnSegment {
  return async (client, { number, totalHanded, totalRows, hash, refused, lastOrigin, mark }) => {
    // Whoever goes on after the segment does not meet its rejects again.
    if (mark !== undefined) await job.rejects.flush();
    await recordSegment(client, job.batch as string, end, {
      number,
      handed: totalHanded,
      rows: totalRows,
      hash,
      refused: job.masking.active ? refused.map(withoutValues) : refused,
      position: lastOrigin,
      mark:
        mark === undefined
          ? undefined
          : { ...withRefused(mark, refused), columns: job.read.columns()[input] ?? [] },
    });
  };
}

/** `mark`, of a moment at which the server had not been asked about the segment, with what it `refused` of it. */
function withRefused(mark: FlowMark, refused: readonly RefusedRow[]): FlowMark {
  const sink = mark.stages.at(-1);
  if (sink === undefined || refused.length === 0) return mark;
  const rejected = { ...sink.rejected };
  for (const { why } of refused) tally(rejected, why.reason, 1);
  return { ...mark, stages: [...mark.stages.slice(0, -1), { ...sink, rejected }] };
}

/** A refused row as the ledger may keep it where source data is masked: its place and reason, no values. */
function withoutValues({ index, why }: RefusedRow): RefusedRow {
  const { reason, column, sqlstate, constraint } = why;
  return {
    index,
    why: {
      reason,
      message: 'the server refused the row',
      ...(column === undefined ? {} : { column }),
      ...(sqlstate === undefined ? {} : { sqlstate }),
      ...(constraint === undefined ? {} : { constraint }),
    },
  };
}
