import { openPartLane } from '../../../sinks/load/part-lane.js';
import { type FlowAccount, plus, type StageAccount, StageCounter } from '../../core/accounting.js';
import { blamed } from '../../core/blamed.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { accountName, bookNames, endName, type FlowPlan, mayBeCut } from '../../core/flow.js';
import { type Following, follow } from '../../core/follow.js';
import { followParts } from '../../core/follow-parts.js';
import type { Cut, CutOptions, KnownPart, Uncut } from '../../core/parts.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { readParts } from '../../db/ledger/parts.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { spareWriterSession, writerSession } from '../given/load-session.js';
import type { Job } from '../job/job.js';
import type { InParts } from './in-parts.js';
import { partNoter } from './segment.js';
import { followInThreads } from './threads/follow.js';
import { threadsFor } from './threads/whether.js';
import { ByWorkers } from './workers/follow.js';
import { byWorkers } from './workers/whether.js';

/** Smaller parts cost more than they are worth. */
const LEAST_BYTES = 64 << 10;

/**
 * Whether a flow is loaded in parts, if its source lets itself be cut. Not where a part of the input is wanted; where
 * somebody keeps a record of every row; where the first row says what columns there are; where a stage may make more
 * rows of a part than there are numbers for it, and one piece was asked for.
 */
export function mayBeInParts(job: Job, plan: FlowPlan, numbered: boolean): boolean {
  const end = plan.root.into;
  return (
    mayBeCut(plan) &&
    job.options.limit === undefined &&
    job.state.tracked === undefined &&
    end !== undefined &&
    'kind' in end &&
    end.columns !== undefined &&
    !(numbered && job.options.jobs === 1 && plan.root.stages.length > 0)
  );
}

/**
 * Whether inputs that are no text are read by several at once: only where that is asked for. In one thread it costs more
 * CPU than it saves.
 */
export function mayReadApart({ options: { jobs = 1, threads = 0 } }: Pick<Job, 'options'>): boolean {
  return jobs > 1 || threads > 0;
}

/**
 * Loads a flow in parts and gives its accounts, as the ledger has them. Where its input turns out to have no places to
 * cut, it is followed as `whole` says.
 */
export async function loadInParts(job: Job, given: InParts, whole: Following): Promise<FlowAccount> {
  const { flow, plan, known: met, lanes } = given;
  const { name } = plan.source;
  const batch = job.batch as string;
  const { signal } = whole;
  const passed = met.filter(({ pass }) => pass);
  countPassed(job, given, passed);
  const run = readingRun(job, given, signal);
  const { segmentBytes } = job.options;
  const cut = await opened(plan.source, run, {
    known: met,
    readers: mayReadApart(job) ? lanes : 1,
    ...(segmentBytes === undefined ? {} : { partBytes: Math.max(LEAST_BYTES, segmentBytes) }),
  });
  if ('rows' in cut) {
    if (met.length > 0)
      throw loadErrors.not_repeatable.uncut({ input: name, why: cut.why ?? 'it has no places to be cut at' });
    if (cut.why !== undefined) run.log.info(`${name} is read in one piece: ${cut.why}`);
    return follow(plan, whole, cut.rows);
  }
  if (cut.said !== undefined) run.log.info(`${name} is read in ${cut.said}`);
  const again = new Map(met.filter(({ pass }) => !pass).map((part) => [part.start, part]));
  const known = (start: number) => again.get(start);
  const workers = byWorkers(job, given, cut);
  const pool = workers ? undefined : await threadsFor(job, given, cut);
  if (workers) await followByWorkers(job, given, cut, whole, known);
  else if (pool === undefined) await followInLanes(job, given, cut, whole, known);
  else await followInThreads(job, given, cut, pool, { signal, known });
  run.progress({});
  const [{ parts } = { parts: [] }] = await readParts(job.options.database, batch, flow);
  // Lanes of this thread have heard what their parts noted, and seen the columns.
  if (workers || pool !== undefined) {
    cut.end?.(parts.flatMap(({ note }) => note ?? []));
    const columns = parts.map((part) => part.columns).findLast(({ length }) => length > 0);
    if (columns !== undefined) job.read.heard(plan.source.name, columns);
  }
  return accountOf(plan, parts);
}

/** Hands the parts to workers, but for those that are to be compared with what is loaded of them, and waits for all. */
async function followByWorkers(
  job: Job,
  given: InParts,
  cut: Cut,
  whole: Following,
  known: (start: number) => KnownPart | undefined,
): Promise<void> {
  const workers = new ByWorkers(job, given);
  const { end: _, ...rest } = cut;
  async function* ours() {
    for await (const part of cut.parts())
      if (known(part.start) === undefined) await workers.hand(part);
      else yield part;
    await workers.flush();
  }
  try {
    await workers.begin(cut.opening);
    await followInLanes(job, given, { ...rest, parts: ours }, whole, known);
    await workers.loaded(whole.signal);
  } finally {
    await workers.end();
  }
}

/** Follows the flow by this thread, several parts at once. */
async function followInLanes(
  job: Job,
  { plan, flow, place, lanes }: InParts,
  cut: Cut,
  { signal, afterChunk }: Following,
  known: (start: number) => KnownPart | undefined,
): Promise<void> {
  const batch = job.batch as string;
  const onPart = partNoter(job, { flow, branch: '', ...place.staging }, plan.source.name);
  await followParts(plan, cut, {
    signal,
    lanes,
    afterChunk,
    runFor: (counter, input, its, lane) => job.runAt({ counter, input, signal: its, flow, lane }),
    openLane(_end, its, refused, lane) {
      const session = lane === 0 ? writerSession : spareWriterSession;
      const options = {
        ...place.table,
        onPart,
        known,
        connect: () => session(job.options.database, batch, `load ${place.name}`, PINNED_BESIDE_CODE),
      };
      return openPartLane(options, its, refused);
    },
  });
}

/** `source`, which can be cut, opened. */
async function opened(source: Source, run: Run, how: CutOptions): Promise<Cut | Uncut> {
  try {
    return await (source.cut as NonNullable<Source['cut']>)(run, how);
  } catch (error) {
    throw blamed(error, `reading ${source.name}`, { input: source.name });
  }
}

/** The Run of whoever cuts the input: how far the flow is is how many rows its lanes have read. */
function readingRun(job: Job, { flow, plan }: InParts, signal: AbortSignal): Run {
  const counter = new StageCounter(accountName.source(plan.source), '', 'source');
  const run = job.runAt({ counter, input: plan.source.name, signal, flow: -1 });
  let last: Parameters<Run['progress']>[0] = {};
  return changedRun(run, {
    progress(position) {
      last = { ...last, ...position, rows: job.progress.rowsOf(flow) };
      run.progress(last);
    },
  });
}

/** What is loaded already counts as what is loaded now. */
function countPassed(job: Job, { flow, plan }: InParts, passed: readonly KnownPart[]): void {
  if (passed.length === 0) return;
  const stages = summed(plan, passed);
  for (const [at, account] of stages.entries()) {
    const role = at === 0 ? 'source' : at === stages.length - 1 ? 'end' : 'stage';
    job.progress.counts(`${flow}/before`, StageCounter.of(account, role));
  }
}

/** The accounts of a flow whose parts are all loaded. */
function accountOf(plan: FlowPlan, parts: readonly KnownPart[]): FlowAccount {
  const stages = summed(plan, parts);
  return {
    source: plan.source.name,
    stages,
    sinks: [
      {
        sink: endName(plan.root.into as Target),
        role: 'table',
        handed: stages.at(-1)?.out ?? 0,
        counted: parts.reduce((rows, part) => rows + part.rows, 0),
      },
    ],
  };
}

function summed(plan: FlowPlan, parts: readonly KnownPart[]): StageAccount[] {
  return bookNames(plan).map((name, at) =>
    parts.reduce<StageAccount>((sum, { stages }) => plus(sum, stages[at]), {
      ...new StageCounter(name).account(),
      readToEnd: true,
    }),
  );
}
