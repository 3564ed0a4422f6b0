/** One record. Values stay text (or null) unless a stage needs more: text to text is lossless. */
export type Row = Readonly<Record<string, unknown>>;

/** Rows that travel together, some hundreds; never empty, never changed once handed on. */
export type Chunk<R = Row> = readonly R[];

/** A stream of chunks that is pulled: a slow reader slows the writer, so memory stays flat. */
export type Rows<R = Row> = AsyncIterable<Chunk<R>>;

/**
 * How many rows a source puts into a chunk when nothing else bounds it. An `await` a chunk costs nothing beside
 * them; chunks of 2048 cost two thirds more memory, since the rows of all that are under way outlive the young
 * generation.
 */
export const CHUNK_ROWS = 256;

/**
 * The key under which a row keeps where it came from: for a file the line (1-based) on which the record
 * starts, for a query the ordinal (1-based) of the row. A symbol survives `{ ...row }` and never meets a
 * column's name. It is registered, so two copies of the package agree on it.
 */
export const ORIGIN: unique symbol = Symbol.for('sluice.origin') as never;

/** The line or ordinal that `row` came from, or undefined for a row that a stage made up. */
export function originOf(row: Row): number | undefined {
  return (row as { [ORIGIN]?: number })[ORIGIN];
}

/** `row` itself, marked as having come from `origin`. Only for rows the caller has just made. */
export function markOrigin<R extends Row>(row: R, origin: number | undefined): R {
  if (origin !== undefined) (row as { [ORIGIN]?: number })[ORIGIN] = origin;
  return row;
}
