import pLimit from 'p-limit';
import { checkedTable } from '../../../sinks/load/checked-table.js';
import { rowsBefore } from '../../../sinks/load/encode/ordinal.js';
import { stagedTable } from '../../../sinks/load/staged-table.js';
import { triggersMayChange } from '../../../sinks/publish/constraints/subject.js';
import type { FlowAccount } from '../../core/accounting.js';
import { type EndPlace, type Following, follow } from '../../core/follow.js';
import type { Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Sink, Staging } from '../../core/types.js';
import type { LoadEnd } from '../../db/ledger/segments.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import type { StagingTable } from '../changes/staging-table.js';
import type { Checked } from '../check/check.js';
import { writerSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import { Records } from '../records/index.js';
import type { RecordTracker } from '../records/tracker.js';
import { flowsAtOnce } from './concurrency.js';
import { tableEnds } from './flow-ends.js';
import { endKey, type TakenUp } from './resume.js';
import { segmentNoter } from './segment.js';

/** What reading the rows of a job builds on. */
export type ToRead = Pick<Checked, 'flows' | 'columns' | 'changes'>;

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
  taken: Pick<TakenUp, 'checkpoints' | 'from'> | undefined,
  settle: (accounts: readonly FlowAccount[]) => Promise<FlowAccount[]>,
): Promise<FlowAccount[]> {
  const { database } = job.options;
  const batch = job.batch as string;
  const ends = tableEnds(checked.flows).map(endKey);
  const { places } = checked.changes;
  job.state.tracked = await Records.begin(job, checked.flows, checked.columns);
  const accounts = await followAll(
    job,
    checked,
    (end, run, at) => {
      if (!isTarget(end)) return end.open(run);
      const table = job.tableOf(end);
      const place = places.get(end) as StagingTable;
      const { flow, branch, mark } = at;
      const sink = stagedTable({
        ...place,
        liveName: `${table.schema}.${table.table}`,
        ...columnsFor(end, checked),
        connect: () => writerSession(database, batch, `load ${table.table}`, PINNED_BESIDE_CODE),
        ...(job.options.segmentBytes === undefined ? {} : { segmentBytes: job.options.segmentBytes }),
        checkpoints: taken?.checkpoints?.get(endKey(at)) ?? [],
        behind: taken?.from.get(flow)?.segments ?? 0,
        onColumns: (names) => job.state.loadedColumns.set(end, names),
        ...(place.numbered ? { numberedBehind: rowsBefore(ends.indexOf(endKey(at))) } : {}),
        // What keeps a record of every row must see all of them again; and of rows without declared columns the first
        // one says what they are.
        ...(mark === undefined || job.state.tracked !== undefined || end.columns === undefined
          ? {}
          : { mark }),
        onSegment: segmentNoter(job, { flow, branch, ...place }, checked.flows[flow]?.source.name ?? ''),
      });
      return sink.open(run);
    },
    taken?.from,
  );
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
    return end.writes === 'nothing' ? end.open(run) : Promise.resolve(counting());
  });
}

/** The columns that a target's staging has and its rows fill. A patch needs none but those that it names. */
function columnsFor(target: Target, checked: ToRead) {
  const { mode, columns: wanted } = target;
  const facts = checked.changes.rows.facts.get(target);
  const known = checked.columns.get(target) ?? [];
  // A trigger may put a value where none is loaded: the publish will tell.
  const live =
    facts !== undefined && triggersMayChange(facts)
      ? known.map((column) => ({ ...column, notNull: false }))
      : known;
  return {
    columns: mode === 'patch' ? live.filter(({ name }) => wanted?.includes(name) === true) : live,
    ...(wanted === undefined ? {} : { wanted }),
  };
}

/** Follows the flows, several at once; at the first failure the others are stopped, and it is thrown. */
async function followAll(
  job: Job,
  checked: Pick<Checked, 'flows'>,
  open: Open,
  from: TakenUp['from'] = new Map(),
): Promise<FlowAccount[]> {
  const stop = new AbortController();
  const following = (flow: number): Following => ({
    ...job.following(flow, from.get(flow)?.mark, async (end, run, at) => {
      const staging = await open(end, run, { flow, ...at });
      const tracker = job.state.tracked?.of(flow);
      return tracker === undefined || tracker.kind.table.target !== end ? staging : noting(staging, tracker);
    }),
    signal: AbortSignal.any([job.signal, stop.signal]),
  });
  const limit = pLimit(await flowsAtOnce(job, checked.flows));
  const accounts: FlowAccount[] = [];
  let first: { readonly error: unknown } | undefined;
  await limit.map(checked.flows, async (flow, at) => {
    if (first !== undefined) return;
    try {
      accounts[at] = await follow(flow, following(at));
    } catch (error) {
      first ??= { error };
      stop.abort();
    }
  });
  if (first !== undefined) throw (first as { readonly error: unknown }).error;
  await job.rejects.flush();
  return accounts;
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
