import type { Around, InputBytes } from './input-bytes.js';
import type { Cut, CutOptions, PartReader, Uncut } from './parts.js';
import type { AnyRow, Chunk, Column, Row, Rows } from './row.js';
import type { Run } from './run.js';

/**
 * How the dates of an SQLite column are stored: as numbers since 1970 (UTC), as Julian days, or as text, where a number
 * is no date. In a column of numbers text is a date, too: applications and `DEFAULT CURRENT_TIMESTAMP` write the same
 * column.
 */
export type DateUnit = 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds' | 'julian' | 'text';

/** How the cells of an SQLite column are read; `text` is what there is, as text. */
export type SqliteType = 'text' | 'boolean' | 'datetime';

/** How rows are written: as text of records, as JSON, or in a format of which the columns are known. */
export type RowFormat = 'csv' | 'json' | 'sqlite' | 'parquet' | 'xlsx';

/** Where rows come from. Declaring one touches nothing; every `read` starts afresh. */
export interface Source<R extends AnyRow = Row> {
  /** As messages name it: a path, `-` for stdin, a query's name. */
  readonly name: string;
  readonly kind: 'file' | 'stdin' | 'query' | 'memory' | 'sqlite';
  /** The file that it reads, where one is named and `name` is another. */
  readonly path?: string;
  /** How a file's or stdin's rows are written; where its first bytes tell, known when they have been read. */
  readonly format?: RowFormat;
  /** The columns that the flow relies on; a file put in this source's place must have them. */
  readonly columns?: readonly string[];
  /** The table that it reads, one row for one, as it is named along the search path. */
  readonly table?: string;
  /** All columns of the table that it reads, also those that the flow does not rely on. Throws as `check` does. */
  allColumns?(run: Run): Promise<readonly string[]>;
  /** The values of one of these columns, asked of the table itself; NULL is left out. */
  keys?(run: Run, column: string): AsyncIterable<readonly string[]>;
  /** The encoding that a file's text is read by, where it was named. */
  readonly encoding?: string;
  /** The name of an order in which the rows are promised to arrive. */
  readonly order?: string;
  /** Sessions with the database that reading a query takes; left out, one. */
  readonly sessions?: number;
  /** It stands for a file that the command has not named: a pipeline may then leave out the flow that would read it. */
  readonly absent?: true;
  /**
   * Asked before anything is written: is it there, readable, of the right columns? What it has found out about how it
   * is read, and should be known to whoever reads it, it gives back, a sentence each. Throws a SluiceError.
   */
  check?(run: Run): Promise<void> | Promise<readonly string[]>;
  /** sqlite: the units in which columns of a table store their dates, as the author says it. */
  readonly dates?: { readonly table: string; readonly units: Readonly<Record<string, DateUnit>> };
  /** The same rows out of the SQLite file at `path`, where the source can read one. */
  fromSqlite?(path: string): Source<R>;
  /**
   * @internal Types of PostgreSQL that hold the values of columns exactly, by what the input calls the columns; left out are
   * those of which it says nothing. Throws as `check` does.
   */
  types?(run: Run): Promise<Readonly<Record<string, string>>>;
  /** @internal What the rows are written in; undefined where that can be read only once. Throws as `check` does. */
  bytes?(around: Around): Promise<InputBytes | undefined>;
  /** Chunks of rows with their origin marked. Must release what it holds when the reader stops early. */
  read(run: Run): Rows<R>;
  /**
   * Sets of columns: of rows with equal values of one of the sets all are in one part, wherever the source is cut. What
   * groups or numbers rows by such columns may then do it part by part (see `within`).
   */
  readonly groups?: readonly (readonly string[])[];
  /** @internal Opens it to be read in parts, each by itself and in any order. For sources whose records can be told apart without reading them. */
  cut?(run: Run, how: CutOptions): Promise<Cut | Uncut>;
  /** @internal Gives parts by the places that a cut has given them, elsewhere or later; `opening` is what it said of itself. */
  partReader?(run: Run, opening: unknown): Promise<PartReader>;
}

/**
 * From rows to rows: an async generator function. State lives in the generator; what stands after the
 * loop is the flush. A name for messages may be given with `named`; the function's own name serves else.
 */
export interface Stage<In extends AnyRow = Row, Out extends AnyRow = In> {
  (rows: Rows<In>, run: Run): Rows<Out>;
  readonly stageName?: string;
  /** See `stateless`. */
  readonly stateless?: true;
  /** See `within`. */
  readonly within?: Within;
  /** See `together`. */
  readonly together?: true;
}

/** Of which rows a stage remembers something. */
export interface Within {
  /** Of rows that have the same values of these columns alone, and stand together. */
  readonly by: readonly string[];
  /** The rows that it gives have the columns of those that they were made of, as they were, but for those that it gives. */
  readonly keeps?: boolean;
  /** Columns that it gives: rows that have the same value of one of them had the same values of `by`. */
  readonly gives?: readonly string[];
  /** Other columns that it gives. */
  readonly sets?: readonly string[];
}

/** Where rows end. */
export interface Sink<R extends AnyRow = Row> {
  /** As messages name it: a table, a file. */
  readonly name: string;
  /** What `write` changes; a dry run opens only sinks that change nothing. */
  readonly writes: 'database' | 'file' | 'nothing';
  /** The file that it makes, which has its name once the run has done all else. */
  readonly path?: string;
  /** Asked before anything is written: may it be written so, and there? Throws a SluiceError. */
  check?(run: Run): Promise<void>;
  /** In place of `open` in a dry run: what would be rejected is, and nothing is written. */
  openDry?(run: Run): Promise<Staging<R>>;
  open(run: Run): Promise<Staging<R>>;
}

/** A sink that has been opened. Call order: write any number of times, then close, or discard. */
export interface Staging<R extends AnyRow = Row> {
  /** Takes the chunk over; resolves when the next one may come (backpressure). */
  write(chunk: Chunk<R>): Promise<void>;
  /** Everything written is safe; the number of rows as the receiver counted them. */
  close(): Promise<number>;
  /**
   * Undoes what was written, as far as the sink can; never throws because of an earlier failure. Where another
   * end of the flow fails after this one was closed, it is still called.
   */
  discard(): Promise<void>;
  /** Of what is shared by several ends, or gets a name: all ends of the run are closed, and it is made whole. Nothing is published yet. */
  finish?(): Promise<void>;
  /** All else is done, the publish before all: what was finished gets its name. */
  keep?(): Promise<void>;
  /** Whether nobody takes what is written any more (a pipe whose reader has gone): rows are dropped then, which is no failure. */
  unread?(): boolean;
}

/** `stage` under a name for messages and the accounting. */
export function named<In extends AnyRow = Row, Out extends AnyRow = Row>(
  name: string,
  stage: (rows: Rows<In>, run: Run) => Rows<Out>,
): Stage<In, Out> {
  return Object.assign((rows: Rows<In>, run: Run) => stage(rows, run), { stageName: name });
}

/**
 * `stage` with the promise that what it makes of a chunk depends on that chunk alone: it remembers nothing of earlier
 * ones, and gives at most one chunk for each before it asks for the next. A file is then loaded in parts, over several
 * sessions at once, and a load that broke off reads those that are missing; without the promise it is read in one piece,
 * again from its beginning, so that stages have their state.
 */
export function stateless<In extends AnyRow = Row, Out extends AnyRow = Row>(
  stage: Stage<In, Out>,
): Stage<In, Out> {
  const same: (rows: Rows<In>, run: Run) => Rows<Out> = (rows, run) => stage(rows, run);
  return Object.assign(same, { stageName: stage.stageName ?? stage.name, stateless: true as const });
}

/**
 * `stage` with the promise that what becomes of a row depends on those alone that have the same values of the columns `by`,
 * which stand together. Where the source is cut so that all of them are in one part (`Source.groups`), the flow is loaded
 * in parts, as with `stateless`: the stage begins anew with each.
 */
export function within<In extends AnyRow = Row, Out extends AnyRow = Row>(
  by: readonly Column<NoInfer<In>>[],
  stage: Stage<In, Out>,
  more: Omit<Within, 'by' | 'gives'> & { readonly gives?: readonly Column<NoInfer<Out>>[] } = {},
): Stage<In, Out> {
  const same: (rows: Rows<In>, run: Run) => Rows<Out> = (rows, run) => stage(rows, run);
  const { stageName = stage.name, together } = stage;
  return Object.assign(same, {
    stageName,
    within: { by, ...more },
    ...(together === undefined ? {} : { together }),
  });
}

/**
 * `stage` with the warning that what becomes of a row depends on others: it numbers, groups or leaves out what came
 * before. Corrected rejects are then no use to it by themselves: they are resubmitted with the whole input.
 */
export function together<S extends Stage<never, AnyRow>>(stage: S): S {
  return Object.assign(stage, { together: true as const });
}
