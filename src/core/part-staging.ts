import type { StageAccount, StageCounter } from './accounting.js';
import type { Following } from './follow.js';
import type { CsvText, Part, TextPart } from './parts.js';
import type { Chunk } from './row.js';
import type { Run } from './run.js';
import type { Target } from './target.js';
import type { Sink } from './types.js';

/**
 * An end of a flow as one lane fills it, a part at a time: begin, write any number of times, endPart. A part is there
 * as a whole, or not at all.
 */
export interface PartStaging {
  begin(part: Part): void;
  /** Takes the chunk over; resolves when the next one may come. */
  write(chunk: Chunk): Promise<void>;
  /**
   * What was written since `begin` is all of the part, and `stages` what became of its rows. Resolves when the next part
   * may begin, which may be before this one is safe.
   */
  endPart(stages: readonly StageAccount[], note: unknown): Promise<void>;
  /**
   * Takes the part's text as it is, in place of begin, write and endPart: the number of its rows, once they are safe.
   * Undefined where they have to be read. `stages`: what became of so many rows.
   */
  raw?(
    part: TextPart,
    csv: CsvText,
    stages: (rows: number) => readonly StageAccount[],
  ): Promise<number | undefined>;
  /** Everything written is safe. */
  close(): Promise<void>;
  /** Undoes the part that is not safe yet; never throws because of an earlier failure. */
  discard(): Promise<void>;
}

/** What the engine needs from whoever runs a flow part by part. */
export interface FollowingParts extends Pick<Following, 'signal' | 'afterChunk'> {
  /** How many parts are read at once, at most. */
  readonly lanes: number;
  /** The Run of a source, stage or sink of one lane. */
  runFor(counter: StageCounter, input: string, signal: AbortSignal, lane: number): Run;
  /**
   * Opens the end for one more lane; undefined where there is no room for it, which the first one (0) does not answer.
   * `refused` is the Run of rows that are refused after their part has ended.
   */
  openLane(end: Target | Sink, run: Run, refused: Run, lane: number): Promise<PartStaging | undefined>;
}

/** The tables of a flow as one lane fills them: each part is there in all of them, or in none. */
export interface TablesStaging {
  begin(part: Part): void;
  /** Takes the chunk over for the table at `table` (0-based, in the order of the flow's tables). */
  write(table: number, chunk: Chunk): void;
  /** As `PartStaging.endPart`: `stages` has what became of the rows in all branches. */
  endPart(stages: readonly StageAccount[], note: unknown): Promise<void>;
  /** Everything written is safe. */
  close(): Promise<void>;
  /** Undoes the part that is not safe yet; never throws because of an earlier failure. */
  discard(): Promise<void>;
}

/** A table of a flow, with the Runs of rows that it refuses before their part has ended, and after. */
export interface TableRuns {
  readonly run: Run;
  readonly refused: Run;
}

/** What the engine needs from whoever runs a flow of several ends part by part. */
export interface FollowingForks
  extends Pick<FollowingParts, 'signal' | 'afterChunk' | 'lanes' | 'runFor'>,
    Pick<Following, 'open'> {
  /** Opens the flow's tables for one more lane, in one session; undefined as with `openLane`. */
  openTables(tables: readonly TableRuns[], lane: number): Promise<TablesStaging | undefined>;
}
