import { openPartLane, type PartLaneOptions } from '../../../sinks/load/part-lane.js';
import { StageCounter } from '../../core/accounting.js';
import { blamed } from '../../core/blamed.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { accountName, bookNames, type FlowPlan } from '../../core/flow.js';
import { followParts } from '../../core/follow-parts.js';
import type { FollowingParts } from '../../core/part-staging.js';
import type { KnownPart, Part, PartReader } from '../../core/parts.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import type { StagedEnd } from '../../db/ledger/segments.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { flowsToRead } from '../check/check.js';
import { spareWriterSession, writerSession } from '../given/load-session.js';
import type { RunOptions } from '../given/options.js';
import { Job } from '../job/job.js';
import { codeOf } from './code-hash.js';
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
  readonly place: PlainPlace;
  /** What cutting the input has shown of it (`Cut.opening`). */
  readonly opening: unknown;
}

/** Where the rows go, without whom it would tell of its columns. */
interface PlainPlace extends Pick<TablePlace, 'name' | 'staging'> {
  readonly table: Omit<TablePlace['table'], 'onColumns'>;
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
    const { noter = partNoter, purpose = 'load' } = following;
    const onPart = noter(job, { flow: task.flow, branch: '', ...task.place.staging }, source.name);
    try {
      await followParts(
        plan,
        { ...reader, opening: task.opening, byPlace: false, parts: () => parts(reader) },
        {
          signal,
          lanes: task.lanes,
          afterChunk: () => job.flushSome(),
          runFor: following.runFor,
          openLane(_end, its, refused, lane) {
            const session = lane === 0 ? writerSession : spareWriterSession;
            const { database } = job.options;
            return openPartLane(
              {
                ...task.place.table,
                onPart,
                known: following.known,
                connect: () =>
                  session(database, job.batch as string, `${purpose} ${task.place.name}`, PINNED_BESIDE_CODE),
              },
              its,
              refused,
            );
          },
        },
      );
    } finally {
      await reader.close?.();
    }
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
