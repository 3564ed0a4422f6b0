import type { Client } from 'pg';
import type { PartNote } from '../../../sinks/load/part-lane.js';
import type { Segment } from '../../../sinks/load/staged-table.js';
import type { RefusedRow } from '../../core/checkpoint.js';
import { recordPart } from '../../db/ledger/parts.js';
import { recordSegment, type StagedEnd } from '../../db/ledger/segments.js';
import type { Job } from '../job/job.js';

/** What records the segments of `end` in the ledger, each in its own transaction. */
export function segmentNoter(job: Job, end: StagedEnd): (client: Client, segment: Segment) => Promise<void> {
  return (client, segment) =>
    recordSegment(client, job.batch as string, end, { ...segment, refused: kept(job, segment.refused) });
}

/**
 * What records the parts of `end` in the ledger, each in its own transaction, its rejects before: whoever resumes the load
 * does not meet them again. `input` is the flow's source, by name.
 */
export function partNoter(
  job: Job,
  end: StagedEnd,
  input: string,
): (client: Client, part: PartNote) => Promise<void> {
  return async (client, part) => {
    await job.rejects.flush();
    const columns = job.read.columns()[input] ?? [];
    await recordPart(client, job.batch as string, end, {
      ...part,
      refused: kept(job, part.refused),
      columns,
    });
  };
}

/** Refused rows as the ledger may keep them: where source data is masked, their places and reasons, no values. */
export function kept(job: Job, refused: readonly RefusedRow[]): readonly RefusedRow[] {
  return job.masking.active ? refused.map(withoutValues) : refused;
}

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
