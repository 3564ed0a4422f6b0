import { type StageAccount, StageCounter } from './accounting.js';
import { bookOf, endsOf, type FlowPlan } from './flow.js';
import { firstCause } from './follow.js';
import { followLanes } from './follow-parts.js';
import { ForkLane } from './fork-lane.js';
import { InOrder } from './in-order.js';
import type { FollowingForks } from './part-staging.js';
import type { Cut } from './parts.js';

/** What became of the rows at an end that is no table, beside what its flow's parts tell. */
export interface ClosedEnd {
  /** Rows as the end counted them. */
  readonly counted: number;
  /** What it has rejected itself. */
  readonly account: StageAccount;
}

/**
 * Runs one flow part by part, several at once, whatever its ends are; `plan` is one that `mayBeCut`. A part is there in all
 * of its tables or in none; the ends that are no tables are given its rows behind those of the parts before, and are
 * closed when all parts are safe: what became of them is given back, by their place among the ends. Fails as `followParts`.
 */
export async function followForks(
  plan: FlowPlan,
  cut: Cut,
  following: FollowingForks,
): Promise<ReadonlyMap<number, ClosedEnd>> {
  const stop = new AbortController();
  const signal = AbortSignal.any([following.signal, stop.signal]);
  const inOrder = new Map<number, InOrder>();
  const counts = new Map<number, StageCounter>();
  try {
    const entries = bookOf(plan).filter(({ role }) => role === 'end');
    for (const [at, end] of endsOf(plan.root).entries()) {
      if ('kind' in end) continue;
      const { name = '', branch = '' } = entries[at] ?? {};
      const count = new StageCounter(name, branch, 'end');
      const run = following.runFor(count, plan.source.name, signal, 0);
      inOrder.set(at, new InOrder(await following.open(end, run, { branch })));
      counts.set(at, count);
    }
    const ends = { inOrder, next: 0 };
    await followLanes(cut, { ...following, signal }, (place) => new ForkLane(plan, following, ends, place));
    const closed = new Map<number, ClosedEnd>();
    for (const [at, end] of inOrder)
      closed.set(at, { counted: await end.close(), account: (counts.get(at) as StageCounter).account() });
    return closed;
  } catch (error) {
    stop.abort();
    await Promise.allSettled([...inOrder.values()].map((end) => end.discard()));
    throw firstCause(error, following.signal);
  }
}
