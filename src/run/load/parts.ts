import { openPartLane } from '../../../sinks/load/part-lane.js';
import { type FlowAccount, plus, type StageAccount, StageCounter, sum } from '../../core/accounting.js';
import { blamed } from '../../core/blamed.js';
import { isPlainLine, mayBeCut } from '../../core/cuttable.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { accountName, type BookEntry, bookOf, endName, endsOf, type FlowPlan } from '../../core/flow.js';
import { type Following, follow } from '../../core/follow.js';
import { type ClosedEnd, followForks } from '../../core/follow-forks.js';
import { followParts } from '../../core/follow-parts.js';
import type { Cut, CutOptions, KnownPart, Uncut } from '../../core/parts.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { type LoadedParts, readParts } from '../../db/ledger/parts.js';
import type { Job } from '../job/job.js';
import { followingForks } from './forks.js';
import { type InParts, knownAgain, laneSession } from './in-parts.js';
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
  const { stages, fork } = plan.root;
  return (
    mayBeCut(plan) &&
    job.options.limit === undefined &&
    job.state.tracked === undefined &&
    endsOf(plan.root).every((end) => !('kind' in end) || end.columns !== undefined) &&
    !(numbered && job.options.jobs === 1 && (stages.length > 0 || fork !== undefined))
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
  const { flow, plan, tables, lanes } = given;
  const { known: met } = tables[0];
  const { name } = plan.source;
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
  const known = knownAgain(met);
  const workers = isPlainLine(plan) && byWorkers(job, given, cut);
  const pool = workers ? undefined : await threadsFor(job, given, cut);
  let closed: ReadonlyMap<number, ClosedEnd> | undefined;
  if (workers) await followByWorkers(job, given, cut, whole, known);
  else if (pool !== undefined) await followInThreads(job, given, cut, pool, { signal, known });
  else if (isPlainLine(plan)) await followLine(job, given, whole, cut);
  else closed = await followForks(plan, cut, followingForks(job, given, whole));
  run.progress({});
  const loaded = await readParts(job.options.database, job.batch as string, flow);
  // Lanes of this thread have heard what their parts noted, and seen the columns.
  if (workers || pool !== undefined) {
    const parts = loaded.flatMap((end) => end.parts);
    cut.end?.(parts.flatMap(({ note }) => note ?? []));
    const columns = parts.map((part) => part.columns).findLast(({ length }) => length > 0);
    if (columns !== undefined) job.read.heard(plan.source.name, columns);
  }
  return accountOf(given, loaded, closed);
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
    await followLine(job, given, whole, { ...rest, parts: ours });
    await workers.loaded(whole.signal);
  } finally {
    await workers.end();
  }
}

/** Follows the one line of the flow by this thread, several parts at once. */
async function followLine(job: Job, given: InParts, whole: Following, cut: Cut): Promise<void> {
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
  const book = bookOf(plan);
  for (const [at, account] of summed(plan, passed).entries())
    job.progress.counts(`${flow}/before`, StageCounter.of(account, book[at]?.role ?? 'stage'));
}

/** The accounts of a flow whose parts are all loaded; `closed`: what is known of its ends that are no tables. */
function accountOf(
  { plan, tables }: InParts,
  loaded: readonly LoadedParts[],
  closed: ReadonlyMap<number, ClosedEnd> | undefined,
): FlowAccount {
  const partsOf = (of: string) => loaded.find(({ branch }) => branch === of)?.parts ?? [];
  const stages = summed(plan, partsOf(tables[0].branch));
  const book = bookOf(plan);
  const places = [...book.keys()].filter((at) => book[at]?.role === 'end');
  const sinks = endsOf(plan.root).map((end, at): FlowAccount['sinks'][number] => {
    const place = places[at] as number;
    const { branch } = book[place] as BookEntry;
    const its = closed?.get(at);
    if (its !== undefined) {
      const account = plus(stages[place] as StageAccount, its.account);
      stages[place] = { ...account, out: account.out - sum(its.account.rejected), readToEnd: true };
    }
    return {
      sink: endName(end),
      role: 'kind' in end ? 'table' : 'sink',
      handed: stages[place]?.out ?? 0,
      counted: its?.counted ?? partsOf(branch).reduce((rows, part) => rows + part.rows, 0),
    };
  });
  return { source: plan.source.name, stages, sinks };
}

function summed(plan: FlowPlan, parts: readonly KnownPart[]): StageAccount[] {
  return bookOf(plan).map(({ name, branch }, at) =>
    parts.reduce<StageAccount>((sum, { stages }) => plus(sum, stages[at]), {
      ...new StageCounter(name, branch).account(),
      readToEnd: true,
    }),
  );
}
