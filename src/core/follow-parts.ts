import { Ahead } from './ahead.js';
import type { FlowPlan } from './flow.js';
import { firstCause } from './follow.js';
import { Lane } from './lane.js';
import type { FollowingParts, PartStaging } from './part-staging.js';
import type { Cut } from './parts.js';

/** What takes one part after the other. */
interface AnyLane {
  readonly staging: Pick<PartStaging, 'close' | 'discard'> | undefined;
  /** What its parts noted. */
  readonly notes: readonly unknown[];
  run(): Promise<void>;
}

/** What a lane is made with. */
export interface LanePlace {
  readonly ahead: Ahead;
  readonly signal: AbortSignal;
  /** Counted from 0. */
  readonly number: number;
  /** Told whenever it has taken a part. */
  readonly onPart: () => void;
}

/**
 * Runs one flow part by part, several at once; `plan` is one that `mayBeCut`, without a fork. Each part goes through the
 * stages by itself and into the end as a whole. Where an end takes text as it is, no row is made of it. The first error
 * stops all and is thrown; parts that are safe stay.
 */
export function followParts(plan: FlowPlan, cut: Cut, following: FollowingParts): Promise<void> {
  return followLanes(
    cut,
    following,
    ({ ahead, signal, number, onPart }) => new Lane(plan, cut, ahead, following, signal, number, onPart),
  );
}

/** Has the parts of `cut` taken by lanes that `make` makes, as many as `lanes` says. Fails as `followParts`. */
export async function followLanes(
  cut: Cut,
  following: Pick<FollowingParts, 'signal' | 'lanes'>,
  make: (place: LanePlace) => AnyLane,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([following.signal, stop.signal]);
  const ahead = new Ahead(cut.parts());
  const lanes: AnyLane[] = [];
  let first: { readonly error: unknown } | undefined;
  const running: Promise<void>[] = [];
  const start = () => {
    const number = lanes.length;
    const onPart = () => {
      // Who is the last to have begun makes room for one more.
      if (lanes.length === number + 1 && lanes.length < following.lanes) start();
    };
    const lane = make({ ahead, signal, number, onPart });
    lanes.push(lane);
    running.push(
      lane.run().catch((error: unknown) => {
        first ??= { error };
        stop.abort();
      }),
    );
  };
  start();
  try {
    // A lane that begins may start another one.
    for (let at = 0; at < running.length; at++) await running[at];
    if (first !== undefined) throw (first as { readonly error: unknown }).error;
    for (const lane of lanes) await lane.staging?.close();
    cut.end?.(lanes.flatMap(({ notes }) => notes));
  } catch (error) {
    stop.abort();
    await Promise.allSettled(lanes.map((lane) => lane.staging?.discard()));
    throw firstCause(error, following.signal);
  } finally {
    await ahead.close();
  }
}
