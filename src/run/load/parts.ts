import { type FlowAccount, plus, type StageAccount, StageCounter, sum } from '../../core/accounting.js';
import { blamed } from '../../core/blamed.js';
import { isPlainLine, keepsAcrossParts } from '../../core/cuttable.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { accountName, type BookEntry, bookOf, endName, endsOf, type FlowPlan } from '../../core/flow.js';
import { type Following, follow } from '../../core/follow.js';
import { type ClosedEnd, followForks } from '../../core/follow-forks.js';
import type { Cut, CutOptions, KnownPart, Uncut } from '../../core/parts.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { type LoadedParts, readParts } from '../../db/ledger/parts.js';
import type { Job } from '../job/job.js';
import { followingForks } from './forks.js';
import { type InParts, knownAgain } from './in-parts.js';
import { followLine } from './line.js';
import { readingRun } from './reading.js';
import { followInThreads } from './threads/follow.js';
import { threadsFor } from './threads/whether.js';
import { followByWorkers } from './workers/load.js';
import { byWorkers, loadedHere } from './workers/whether.js';

/** Smaller parts cost more than they are worth. */
const LEAST_BYTES = 64 << 10;

/** Parts are cut for so many workers, at the least. */
const WORKERS = 8;

/**
 * Why a flow is loaded in one piece whatever its source lets be done with it; undefined where it is not. So is a part of the
 * input that is wanted, where somebody keeps a record of every row, where the first row says what columns there are, where
 * a stage remembers rows of other parts, or may make more rows of a part than there are numbers for it and one piece was
 * asked for.
 */
export function wholeBecause(job: Job, plan: FlowPlan, numbered: boolean): string | undefined {
  const { source, root } = plan;
  const { limit, jobs, workers } = job.options;
  const ends = endsOf(root);
  if (!ends.some((end) => 'kind' in end)) return `it goes to ${ends.map(endName).join(', ')}`;
  const stage = keepsAcrossParts(plan);
  if (stage !== undefined) {
    const name = accountName.stage(stage);
    return stage.within === undefined
      ? `${name} does not say that it is stateless`
      : `${name} remembers rows by ${stage.within.by.join(', ')}, which may be of several parts`;
  }
  if (source.cut === undefined) return 'it has no places to be cut at';
  if (limit !== undefined) return 'only its first rows are wanted';
  if (job.state.tracked !== undefined || (job.batch === undefined && job.kept !== 'none'))
    return 'a record is kept of every row';
  if (ends.some((end) => 'kind' in end && end.columns === undefined))
    return 'its first row says what columns there are';
  if (numbered && jobs === 1 && workers !== true && (root.stages.length > 0 || root.fork !== undefined))
    return 'one piece was asked for (--jobs 1)';
  return undefined;
}

/**
 * Whether inputs that are no text are read by several at once: only where that is asked for. In one thread it costs more
 * CPU than it saves.
 */
function mayReadApart({ options: { jobs = 1, threads = 0, workers } }: Pick<Job, 'options'>): boolean {
  return jobs > 1 || threads > 0 || workers === true;
}

/** How many read parts of a flow at once, as far as is known when it is cut: of workers nobody knows how many there will be. */
export function readersOf(job: Pick<Job, 'options'>, lanes: number): number {
  if (!mayReadApart(job)) return 1;
  return job.options.workers === true ? Math.max(lanes, WORKERS) : lanes;
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
  const { run, countedBy } = readingRun(job, given, signal);
  const { segmentBytes } = job.options;
  const cut = await opened(plan.source, run, {
    known: met,
    readers: readersOf(job, lanes),
    ...(segmentBytes === undefined ? {} : { partBytes: Math.max(LEAST_BYTES, segmentBytes) }),
  });
  if ('rows' in cut) {
    if (met.length > 0)
      throw loadErrors.not_repeatable.uncut({ input: name, why: cut.why ?? 'it has no places to be cut at' });
    if (cut.why !== undefined) run.log.info(`${name} is read in one piece: ${cut.why}`);
    if (job.options.workers === true) loadedHere(job, name, cut.why ?? 'it has no places to be cut at');
    return follow(plan, whole, cut.rows);
  }
  if (cut.said !== undefined) run.log.info(`${name} is read in ${cut.said}`);
  const known = knownAgain(met);
  const workers = byWorkers(job, given, cut);
  const pool = workers ? undefined : await threadsFor(job, given, cut);
  let closed: ReadonlyMap<number, ClosedEnd> | undefined;
  if (workers) closed = await followByWorkers(job, { given, cut, whole, countedBy });
  else if (pool !== undefined) await followInThreads(job, given, cut, pool, { signal, known });
  else if (isPlainLine(plan)) await followLine(job, given, whole, cut);
  else closed = await followForks(plan, cut, followingForks(job, given, whole));
  run.progress({});
  const loaded = await readParts(job.options.database, job.batch as string, flow);
  // Lanes of this thread have heard what their parts noted, and seen the columns.
  if (workers || pool !== undefined) {
    const parts = loaded.find(({ branch }) => branch === tables[0].branch)?.parts ?? [];
    cut.end?.(parts.flatMap(({ note }) => note ?? []));
    const columns = parts.map((part) => part.columns).findLast(({ length }) => length > 0);
    if (columns !== undefined) job.read.heard(plan.source.name, columns);
  }
  return accountOf(given, loaded, closed);
}

/** `source`, which can be cut, opened. */
async function opened(source: Source, run: Run, how: CutOptions): Promise<Cut | Uncut> {
  try {
    return await (source.cut as NonNullable<Source['cut']>)(run, how);
  } catch (error) {
    throw blamed(error, `reading ${source.name}`, { input: source.name });
  }
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
