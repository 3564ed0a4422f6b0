import { openPartLane, type PartLaneOptions } from '../../../sinks/load/part-lane.js';
import { type LaneTable, openTablesLane } from '../../../sinks/load/tables-lane.js';
import { StageCounter } from '../../core/accounting.js';
import { blamed } from '../../core/blamed.js';
import { isPlainLine } from '../../core/cuttable.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { accountAt, accountName, bookNames, type FlowPlan } from '../../core/flow.js';
import { followForks } from '../../core/follow-forks.js';
import { followParts } from '../../core/follow-parts.js';
import type { FollowingParts } from '../../core/part-staging.js';
import type { KnownPart, Part, PartReader } from '../../core/parts.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Run } from '../../core/run.js';
import type { Source, Staging } from '../../core/types.js';
import type { StagedEnd } from '../../db/ledger/segments.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { flowsToRead } from '../check/check.js';
import { spareWriterSession, writerSession } from '../given/load-session.js';
import type { RunOptions } from '../given/options.js';
import { Job } from '../job/job.js';
import { codeOf } from './code-hash.js';
import type { InParts } from './in-parts.js';
import type { TablePlace } from './place.js';
import { partNoter } from './segment.js';

/**
 * Loading parts apart from the run that they are of, by somebody who has nothing but plain data: who makes the pipeline
 * again, reads a part by itself, puts it through the stages and commits it with its row in the ledger.
 */

/** What all flows of a run have in common. Plain data. */
export interface ApartJob {
  readonly batch: string;
  readonly begunAt: Date;
  /** What turns records into rows (`codeOf`). */
  readonly code: string;
  readonly settings: Readonly<Record<string, string>>;
  /** The columns that tables are filled in, by table, where the pipeline lets the database decide that. */
  readonly fills?: Readonly<Record<string, readonly string[]>>;
  readonly noSourceData: boolean;
  readonly stopOnError: boolean;
}

/** A flow of which parts are loaded. Plain data. */
export interface ApartTask {
  readonly flow: number;
  /** The names in its accounts (`bookNames`). */
  readonly book: readonly string[];
  /** How many sessions fill the table at once. */
  readonly lanes: number;
  /** In the order of the flow's ends. */
  readonly tables: readonly PlainTable[];
  /** What cutting the input has shown of it (`Cut.opening`). */
  readonly opening: unknown;
}

/** A table that rows go to, and the way to it, without whom it would tell of its columns. */
interface PlainTable extends Pick<TablePlace, 'name' | 'staging'> {
  readonly branch: string;
  readonly table: Omit<TablePlace['table'], 'onColumns'>;
}

/** What whoever loads parts of the flow is told of it; `opening`: what its cut said of itself. */
export function taskOf({ flow, plan, tables }: InParts, lanes: number, opening: unknown): ApartTask {
  return {
    flow,
    book: bookNames(plan),
    lanes,
    tables: tables.map(({ branch, place: { name, staging, table } }) => {
      const { onColumns: _, ...plain } = table;
      return { branch, name, staging, table: plain };
    }),
    opening,
  };
}

/** What whoever loads apart does otherwise than a run of the flow would. */
export interface ApartFollowing {
  readonly signal: AbortSignal;
  runFor: FollowingParts['runFor'];
  known(start: number): KnownPart | undefined;
  /** In place of `partNoter`, for the end and the input that are named. */
  noter?(job: Job, end: StagedEnd, input: string): PartLaneOptions['onPart'];
  /** What sessions are called. Default: load. */
  readonly purpose?: string;
  /** See PartLaneOptions. */
  readonly hooks?: Pick<PartLaneOptions, 'committed' | 'unsettled'>;
  /** Opens an end that is no table; left out where the flow has none. */
  open?(branch: string): Staging;
}

/** A pipeline that was made again, ready to load parts of its flows. */
export class Apart {
  private constructor(
    readonly job: Job,
    private readonly flows: readonly FlowPlan[],
  ) {}

  /** Throws refused `other_code` where it is not the pipeline that the run has, and what `Job.prepare` throws. */
  static async open(pipeline: Pipeline, given: ApartJob, options: RunOptions): Promise<Apart> {
    const { settings, fills, noSourceData, stopOnError } = given;
    const job = await Job.prepare(pipeline, {
      ...options,
      settings,
      noSourceData,
      stopOnError,
      ...(fills === undefined ? {} : { fills }),
    });
    try {
      if (codeOf(job) !== given.code) throw loadErrors.other_code.code({ pipeline: pipeline.name });
      job.begin(given.batch, given.begunAt);
      return new Apart(job, flowsToRead(job));
    } catch (error) {
      await job.clear();
      throw error;
    }
  }

  /** Loads what `parts` gives of the flow. Throws the first error; parts that are committed stay. */
  async load(
    task: ApartTask,
    parts: (reader: PartReader) => AsyncGenerator<Part, void>,
    following: ApartFollowing,
  ): Promise<void> {
    const { job } = this;
    const plan = this.flows[task.flow];
    if (plan === undefined || bookNames(plan).join('\n') !== task.book.join('\n'))
      throw loadErrors.other_code.flows({ pipeline: job.pipeline.name });
    const { source } = plan;
    const { signal } = following;
    const counter = new StageCounter(accountName.source(source), '', 'source');
    const run = job.runAt({ counter, input: source.name, signal, flow: -1 });
    const reader = await readerOf(source, run, task.opening);
    if (reader === undefined) throw loadErrors.other_code.flows({ pipeline: job.pipeline.name });
    const { known, open, hooks = {} } = following;
    const cut = { ...reader, opening: task.opening, byPlace: false, parts: () => parts(reader) };
    const common = {
      signal,
      lanes: task.lanes,
      afterChunk: () => job.flushSome(),
      runFor: following.runFor,
    };
    const filled = this.#filled(task, plan, following);
    const connect = (lane: number) => this.#session(task, following, lane);
    try {
      if (isPlainLine(plan))
        await followParts(plan, cut, {
          ...common,
          openLane: (_end, its, refused, lane) =>
            openPartLane(
              {
                ...(filled[0] as LaneTable),
                known,
                connect: () => connect(lane),
                ...hooks,
              },
              its,
              refused,
            ),
        });
      else
        await followForks(plan, cut, {
          ...common,
          async open(_end, _run, { branch }) {
            if (open === undefined) throw loadErrors.other_code.flows({ pipeline: job.pipeline.name });
            return open(branch);
          },
          openTables: (runs, lane) => openTablesLane(filled, runs, () => connect(lane), signal, hooks),
        });
    } finally {
      await reader.close?.();
    }
  }

  #filled(task: ApartTask, plan: FlowPlan, { noter = partNoter, known }: ApartFollowing): LaneTable[] {
    return task.tables.map(({ branch, staging, table }) => ({
      ...table,
      account: accountAt(plan, branch),
      onPart: noter(this.job, { flow: task.flow, branch, ...staging }, plan.source.name),
      known,
    }));
  }

  #session({ tables }: ApartTask, { purpose = 'load' }: ApartFollowing, lane: number) {
    const session = lane === 0 ? writerSession : spareWriterSession;
    const { database } = this.job.options;
    const names = tables.map(({ name }) => name).join(', ');
    return session(database, this.job.batch as string, `${purpose} ${names}`, PINNED_BESIDE_CODE);
  }
}

/** What gives parts of `source`; undefined where it has none. */
async function readerOf(source: Source, run: Run, opening: unknown): Promise<PartReader | undefined> {
  try {
    return await source.partReader?.(run, opening);
  } catch (error) {
    throw blamed(error, `reading ${source.name}`, { input: source.name });
  }
}
