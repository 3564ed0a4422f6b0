/** One record. Values stay text (or null) unless a stage needs more: text to text is lossless. */
export type Row = Readonly<Record<string, unknown>>;

/** What the compiler says of a value that is no row is the text here. */
interface NoRow {
  readonly [Symbol.iterator]?: 'a row is a plain object of columns: no array, Map or Set';
  readonly [Symbol.toStringTag]?: 'a row is a plain object of columns: no promise (see mapAsync)';
  readonly [Symbol.toPrimitive]?: 'a row is a plain object of columns: no Date';
  readonly [Symbol.hasInstance]?: 'a row is a plain object of columns: no function';
}

/**
 * What rows of a declared type may be: any plain object, also one that is declared as an interface, which no type with an
 * index signature takes. Where nothing is known of the columns a row is a `Row`.
 */
export type AnyRow = object & NoRow;

/** The columns of rows, by their names. */
export type Column<R extends AnyRow> = keyof R & string;

/** A row as text: of a CSV file, of a query, of an SQLite file. */
export type TextRow<C extends string = string> = Readonly<Record<C, string | null>>;

/** `row`, to be asked for columns that its type does not know. */
export function anyColumns(row: AnyRow): Row {
  return row as Row;
}

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
export function originOf(row: AnyRow): number | undefined {
  return (row as { [ORIGIN]?: number })[ORIGIN];
}

/** `row` itself, marked as having come from `origin`. Only for rows the caller has just made. */
export function markOrigin<R extends AnyRow = Row>(row: R, origin: number | undefined): R {
  if (origin !== undefined) (row as { [ORIGIN]?: number })[ORIGIN] = origin;
  return row;
}
