import pLimit, { type LimitFunction } from 'p-limit';
import { checkedTable } from '../../../sinks/load/checked-table.js';
import { stagedTable } from '../../../sinks/load/staged-table.js';
import type { FlowAccount } from '../../core/accounting.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { tableErrors } from '../../core/errors/catalogue/tables.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import { type EndPlace, type Following, follow } from '../../core/follow.js';
import type { Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Sink, Staging } from '../../core/types.js';
import type { LoadEnd } from '../../db/ledger/segments.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import type { Checked } from '../check/check.js';
import { writerSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import { Records } from '../records/index.js';
import type { RecordTracker } from '../records/tracker.js';
import { atOnce } from './concurrency.js';
import { endKey, tableEnds } from './flow-ends.js';
import type { InParts } from './in-parts.js';
import { allUnread, openOther } from './other-ends.js';
import { loadInParts, wholeBecause } from './parts.js';
import { columnsFor, numbersItself, placeOf, type ToRead } from './place.js';
import type { TakenUp } from './resume.js';
import { segmentNoter } from './segment.js';
import { loadedHere } from './workers/whether.js';

/** Opens an end of a flow, told which one it is. */
type Open = (end: Target | Sink, run: Run, at: EndPlace & LoadEnd) => Promise<Staging>;

/**
 * Follows every flow, several at once, writing tables to staging and everything else to its sink; gives the
 * accounts. Segments are recorded in the ledger; where an earlier attempt is resumed, only what that one has
 * not committed is loaded. `settle` has the last word on the rows that staging holds, and gives the accounts with it.
 */
export async function load(
  job: Job,
  checked: ToRead,
  taken: TakenUp | undefined,
  settle: (accounts: readonly FlowAccount[]) => Promise<FlowAccount[]>,
): Promise<FlowAccount[]> {
  const { database, segmentBytes } = job.options;
  const batch = job.batch as string;
  job.state.tracked = await Records.begin(job, checked.flows, checked.columns);
  const open: Open = (end, run, at) => {
    if (!isTarget(end)) return openOther(job, end, run);
    const { flow, branch } = at;
    const place = placeOf(job, checked, end, at);
    return stagedTable({
      ...place.table,
      connect: () => writerSession(database, batch, `load ${place.name}`, PINNED_BESIDE_CODE),
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      checkpoints: taken?.checkpoints.get(endKey(at)) ?? [],
      onSegment: segmentNoter(job, { flow, branch, ...place.staging }),
    }).open(run);
  };
  const accounts = await followAll(job, checked, open, (at) => inParts(job, checked, at, taken));
  const settled = await settle(accounts);
  await job.state.tracked?.finish(settled);
  return settled;
}

/** Follows every flow and checks every value as the load would; writes neither tables nor files. */
export async function loadDry(job: Job, checked: ToRead): Promise<FlowAccount[]> {
  return followAll(job, checked, (end, run) => {
    if (isTarget(end)) {
      const table = job.tableOf(end);
      return checkedTable({
        liveName: `${table.schema}.${table.table}`,
        ...columnsFor(end, checked),
      }).open(run);
    }
    if (end.writes === 'nothing') return end.open(run);
    return end.openDry?.(run) ?? Promise.resolve(counting());
  });
}

/**
 * Follows every flow into ends that are no tables; gives the accounts. Undefined where nobody reads any of them any more,
 * and the rest was not read either.
 */
export async function loadOther(
  job: Job,
  { flows }: Pick<ToRead, 'flows'>,
): Promise<FlowAccount[] | undefined> {
  const ends = flows.reduce((sum, { root }) => sum + endsOf(root).length, 0);
  const enough = new Error('nobody reads the rest');
  try {
    return await followAll(job, { flows }, async (end, run) => {
      if (isTarget(end))
        throw tableErrors.no_such_table.declared({ pipeline: job.pipeline.name, name: end.table });
      const staging = await openOther(job, end, run);
      return {
        async write(chunk) {
          await staging.write(chunk);
          if (allUnread(job, ends)) throw enough;
        },
        close: () => staging.close(),
        discard: () => staging.discard(),
      };
    });
  } catch (error) {
    if (error === enough) return undefined;
    throw error;
  }
}

/** A flow, and how many sessions may fill its table. */
type AtFlow = Pick<InParts, 'plan' | 'flow' | 'lanes'>;

/**
 * Follows the flows, several at once; at the first failure the others are stopped, and it is thrown. `cutting` says how a
 * flow is loaded in parts, if it is; left out, none is.
 */
async function followAll(
  job: Job,
  { flows: plans }: Pick<Checked, 'flows'>,
  open: Open,
  cutting?: (at: AtFlow) => InParts | undefined,
): Promise<FlowAccount[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([job.signal, stop.signal]);
  const following = (flow: number): Following => ({
    ...job.following(flow, async (end, run, at) => {
      const staging = await open(end, run, { flow, ...at });
      const tracker = job.state.tracked?.of(flow);
      return tracker === undefined || tracker.kind.table.target !== end ? staging : noting(staging, tracker);
    }),
    signal,
  });
  const { flows, lanes } = await atOnce(job, plans, cutting !== undefined);
  const limit = pLimit(flows);
  const accounts: FlowAccount[] = [];
  let first: { readonly error: unknown } | undefined;
  await inOrder(plans, limit, async (plan, flow) => {
    if (first !== undefined) return;
    try {
      const parts = cutting?.({ plan, flow, lanes });
      accounts[flow] =
        parts === undefined
          ? await follow(plan, following(flow))
          : await loadInParts(job, parts, following(flow));
    } catch (error) {
      first ??= { error };
      stop.abort();
    }
  });
  if (first !== undefined) throw (first as { readonly error: unknown }).error;
  await job.rejects.flush();
  return accounts;
}

/** `follow` for every plan, as many at once as may be; one that comes after others, when they have been followed. */
async function inOrder(
  plans: readonly FlowPlan[],
  limit: LimitFunction,
  follow: (plan: FlowPlan, flow: number) => Promise<void>,
): Promise<void> {
  const over = new Map(plans.map(({ key }) => [key, deferred()]));
  const each = plans.map(async (plan, flow) => {
    // Outside of the limit: who waits takes nobody's place.
    await Promise.all((plan.after ?? []).map((key) => over.get(key)?.promise));
    await limit(follow, plan, flow);
    over.get(plan.key)?.resolve();
  });
  await Promise.all(each);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** How a flow is loaded in parts; undefined where it is in one piece, or an earlier attempt has begun so. */
function inParts(
  job: Job,
  checked: ToRead,
  { plan, flow, lanes }: AtFlow,
  taken: TakenUp | undefined,
): InParts | undefined {
  const [first, ...others] = tableEnds(checked.flows)
    .filter((end) => end.flow === flow)
    .map((end) => ({
      branch: end.branch,
      place: placeOf(job, checked, end.target, end),
      known: taken?.parts.get(endKey(end)) ?? [],
      segments: taken?.checkpoints.get(endKey(end)) ?? [],
    }));
  if (first === undefined) return undefined;
  const tables = [first, ...others] as const;
  if (tables.some(({ segments }) => segments.length > 0)) return undefined;
  const why = wholeBecause(
    job,
    plan,
    tables.some(({ place }) => place.staging.numbered),
  );
  if (why !== undefined) {
    if (first.known.length > 0)
      throw loadErrors.not_repeatable.rows({
        table: first.place.table.liveName,
        how: 'its stages are others',
      });
    if (job.options.workers === true) loadedHere(job, plan.source.name, why);
    return undefined;
  }
  const one = tables.some(({ place }) => numbersItself(place));
  return { plan, flow, tables, lanes: one ? 1 : lanes, inOrder: one };
}

export function isTarget(end: Target | Sink): end is Target {
  return 'kind' in end;
}

/** `staging` of the table that records end in: what it has taken is told to their tracker. */
function noting(staging: Staging, tracker: RecordTracker): Staging {
  return {
    async write(chunk) {
      await staging.write(chunk);
      tracker.staged(chunk);
    },
    close: () => staging.close(),
    discard: () => staging.discard(),
  };
}

/** Stands in for a sink that a dry run must not open. */
function counting(): Staging {
  let rows = 0;
  return {
    async write(chunk) {
      rows += chunk.length;
    },
    close: async () => rows,
    discard: async () => {},
  };
}
