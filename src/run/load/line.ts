import { openPartLane } from '../../../sinks/load/part-lane.js';
import type { Following } from '../../core/follow.js';
import { followParts } from '../../core/follow-parts.js';
import type { Cut } from '../../core/parts.js';
import type { Job } from '../job/job.js';
import { type InParts, knownAgain, laneSession } from './in-parts.js';
import { partNoter } from './segment.js';

/** Follows the one line of the flow by this thread, several parts at once. */
export async function followLine(job: Job, given: InParts, whole: Following, cut: Cut): Promise<void> {
  const { flow, plan, tables, lanes } = given;
  const [{ branch, place, known }] = tables;
  const again = knownAgain(known);
  const onPart = partNoter(job, { flow, branch, ...place.staging }, plan.source.name);
  await followParts(plan, cut, {
    signal: whole.signal,
    lanes,
    afterChunk: whole.afterChunk,
    runFor: (counter, input, its, lane) => job.runAt({ counter, input, signal: its, flow, lane }),
    openLane(_end, its, refused, lane) {
      const options = {
        ...place.table,
        onPart,
        known: again,
        connect: () => laneSession(job, place.name, lane),
      };
      return openPartLane(options, its, refused);
    },
  });
}
