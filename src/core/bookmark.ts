import type { StageAccount } from './accounting.js';
import type { Chunk, Row } from './row.js';

/**
 * Where a source can be read on from: everything before it has been handed on. Plain JSON, and the source's own but
 * for `line`.
 */
export interface Bookmark {
  /** The line (1-based) of the first record behind it, as origins are counted. */
  readonly line: number;
  readonly [more: string]: unknown;
}

/** How far a flow is whose stages keep nothing: where to read on, and its accounts up to there. Plain JSON. */
export interface FlowMark {
  readonly at: Bookmark;
  /** In the order in which the flow makes them: the source first, the sink last. */
  readonly stages: readonly StageAccount[];
}

/** Registered as ORIGIN is, so that two copies of the package agree on it. */
const BOOKMARK: unique symbol = Symbol.for('sluice.bookmark') as never;

type Bookmarked = { [BOOKMARK]?: Bookmark };

/** `rows`, marked as the last ones before `bookmark`. Only for an array that the caller has just made. */
export function setBookmark<R extends Row>(rows: Chunk<R>, bookmark: Bookmark | undefined): Chunk<R> {
  if (bookmark !== undefined) (rows as Bookmarked)[BOOKMARK] = bookmark;
  return rows;
}

/** The place after the last of `rows`, where their source has told it. */
export function bookmarkOf(rows: Chunk): Bookmark | undefined {
  return (rows as Bookmarked)[BOOKMARK];
}
