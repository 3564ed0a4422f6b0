import { type LaneTable, openTablesLane } from '../../../sinks/load/tables-lane.js';
import { accountAt } from '../../core/flow.js';
import type { Following } from '../../core/follow.js';
import type { FollowingForks } from '../../core/part-staging.js';
import type { Job } from '../job/job.js';
import { type InParts, knownAgain, laneSession } from './in-parts.js';
import { partNoter } from './segment.js';

/** What following a flow of several ends in parts needs of its job; `whole`: what following it in one piece would. */
export function followingForks(job: Job, given: InParts, whole: Following): FollowingForks {
  const { flow, plan, tables, lanes } = given;
  const filled = tables.map(({ branch, place, known }): LaneTable => {
    return {
      ...place.table,
      account: accountAt(plan, branch),
      onPart: partNoter(job, { flow, branch, ...place.staging }, plan.source.name),
      known: knownAgain(known),
    };
  });
  const names = tables.map(({ place }) => place.name).join(', ');
  return {
    signal: whole.signal,
    lanes,
    afterChunk: whole.afterChunk,
    open: whole.open,
    runFor: (counter, input, its, lane) => job.runAt({ counter, input, signal: its, flow, lane }),
    openTables: (runs, lane) =>
      openTablesLane(filled, runs, () => laneSession(job, names, lane), whole.signal),
  };
}
