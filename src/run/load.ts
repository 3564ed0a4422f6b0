import pLimit from 'p-limit';
import { checkedTable } from '../../sinks/checked-table.js';
import { stagedTable } from '../../sinks/staged-table.js';
import { breaches, type FlowAccount, StageCounter, totals } from '../core/accounting.js';
import type { FlowMark } from '../core/bookmark.js';
import type { RefusedRow } from '../core/checkpoint.js';
import { refused } from '../core/errors.js';
import { type EndPlace, type Following, follow } from '../core/follow.js';
import type { Run } from '../core/run.js';
import type { Target } from '../core/target.js';
import type { Sink, Staging } from '../core/types.js';
import { type LoadEnd, recordSegment } from '../db/ledger/segments.js';
import type { Checked } from './check.js';
import { flowsAtOnce } from './flows-at-once.js';
import type { Job } from './job.js';
import { writerSession } from './load-session.js';
import type { RecordTracker } from './record-tracker.js';
import { Records } from './records.js';
import { describeLimit } from './reject-limit.js';
import { endKey, type TakenUp } from './resume.js';

/** Opens an end of a flow, told which one it is. */
type Open = (end: Target | Sink, run: Run, at: EndPlace & LoadEnd) => Promise<Staging>;

/** Where a target's rows go: its staging table. */
export interface StagingTable {
  readonly schema: string;
  readonly table: string;
}

/**
 * Follows every flow, several at once, writing tables to staging and everything else to its sink; gives the
 * books. Segments are recorded in the ledger; where an earlier attempt is gone on with, only what that one has
 * not committed is loaded.
 */
export async function load(
  job: Job,
  checked: Checked,
  staged: ReadonlyMap<Target, StagingTable>,
  taken: Pick<TakenUp, 'checkpoints' | 'from'> | undefined,
): Promise<FlowAccount[]> {
  const { database } = job.options;
  const batch = job.batch as string;
  job.tracked = await Records.begin(job, checked.flows, checked.columns);
  const accounts = await followAll(
    job,
    checked,
    (end, run, at) => {
      if (!isTarget(end)) return end.open(run);
      const table = job.tableOf(end);
      const place = staged.get(end) as StagingTable;
      const { flow, branch, mark } = at;
      const input = checked.flows[flow]?.source.name ?? '';
      const sink = stagedTable({
        ...place,
        liveName: `${table.schema}.${table.table}`,
        ...columnsFor(end, checked),
        connect: () => writerSession(database, batch, `load ${table.table}`),
        ...(job.options.segmentBytes === undefined ? {} : { segmentBytes: job.options.segmentBytes }),
        checkpoints: taken?.checkpoints?.get(endKey(at)) ?? [],
        seeks: taken?.from.has(flow) === true,
        // What keeps a record of every row must see all of them again.
        ...(mark === undefined || job.tracked !== undefined ? {} : { mark }),
        async onSegment(client, { number, totalHanded, totalRows, hash, refused, lastOrigin, mark }) {
          // Whoever goes on behind the segment does not meet its rejects again.
          if (mark !== undefined) await job.rejects.flush();
          await recordSegment(
            client,
            batch,
            { flow, branch, ...place },
            {
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
            },
          );
        },
      });
      return sink.open(run);
    },
    taken?.from,
  );
  await job.tracked?.finish(accounts);
  return accounts;
}

/** Follows every flow and checks every value as the load would; writes neither tables nor files. */
export async function loadDry(job: Job, checked: Checked): Promise<FlowAccount[]> {
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

/** `mark`, of a moment at which the server had not been asked about the segment, with what it `refused` of it. */
function withRefused(mark: FlowMark, refused: readonly RefusedRow[]): FlowMark {
  const sink = mark.stages.at(-1);
  if (sink === undefined || refused.length === 0) return mark;
  const rejected = { ...sink.rejected };
  for (const { why } of refused) StageCounter.tally(rejected, why.reason, 1);
  return { ...mark, stages: [...mark.stages.slice(0, -1), { ...sink, rejected }] };
}

/** A refused row as the ledger may keep it where source data is masked: its place and reason, no values. */
function withoutValues({ index, why }: RefusedRow): RefusedRow {
  const { reason, column, sqlstate } = why;
  return {
    index,
    why: {
      reason,
      message: 'the server refused the row',
      ...(column === undefined ? {} : { column }),
      ...(sqlstate === undefined ? {} : { sqlstate }),
    },
  };
}

/** The columns that a target's staging has and its rows fill. A patch needs none but those that it names. */
function columnsFor(target: Target, checked: Checked) {
  const { mode, columns: wanted } = target;
  const live = checked.columns.get(target) ?? [];
  return {
    columns: mode === 'patch' ? live.filter(({ name }) => wanted?.includes(name) === true) : live,
    ...(wanted === undefined ? {} : { wanted }),
  };
}

/** Follows the flows, several at once; at the first failure the others are stopped, and it is thrown. */
async function followAll(
  job: Job,
  checked: Checked,
  open: Open,
  from: TakenUp['from'] = new Map(),
): Promise<FlowAccount[]> {
  const stop = new AbortController();
  const following = (flow: number): Following => ({
    ...job.following(flow, from.get(flow), async (end, run, at) => {
      const staging = await open(end, run, { flow, ...at });
      const tracker = job.tracked?.of(flow);
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

/**
 * Refuses where rows are unaccounted for, or more were rejected than may be. A dry run and a rehearsal
 * ask the same, so that they answer as the run would.
 */
export function assertAccounted(job: Job, accounts: readonly FlowAccount[]): void {
  const broken = job.options.limit === undefined ? breaches(accounts) : [];
  if (broken.length > 0)
    throw refused('unaccounted_rows', `rows are unaccounted for: ${broken[0]}`, {
      details: broken.slice(1),
      next: 'let the stage say what became of them: run.skip(reason), run.reject(row, why), run.merge(reason)',
    });
  const { read, rejectReasons } = totals(accounts);
  const limit = job.options.maxRejects ?? { rows: 0 };
  if (job.rejects.within(limit, read)) return;
  const reasons = Object.entries(rejectReasons)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, rows]) => `${reason}: ${rows}`);
  const allowed = describeLimit(limit);
  throw refused(
    'too_many_rejects',
    `${job.rejects.count} of ${read} rows were rejected; ${allowed === '0' ? 'none' : allowed} may be (--max-rejects)`,
    {
      details: [
        ...reasons,
        ...job.rejects.first.map(
          (reject) =>
            `${reject.input}${reject.line === null ? '' : `, line ${reject.line}`}: ${reject.message}`,
        ),
      ],
      next: [
        ...(job.batch === undefined ? [] : [`sluice rejects ${job.batch}   (all of them)`]),
        `correct the rows, or allow them: --max-rejects ${job.rejects.count}`,
      ],
    },
  );
}

function isTarget(end: Target | Sink): end is Target {
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
