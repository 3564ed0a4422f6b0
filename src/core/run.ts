import type { Report } from './report.js';
import type { AnyRow, Row } from './row.js';

/** Why a row is set aside. `reason` is a stable snake_case code that reports group by. */
export interface Rejection {
  readonly reason: string;
  /** A sentence for people; made from the other fields where it is left out. */
  readonly message?: string;
  readonly column?: string;
  readonly value?: unknown;
  /** What would have been right: `integer from -32768 to 32767`, say. */
  readonly expected?: string;
  readonly sqlstate?: string;
  /** The name of the constraint that the row breaks. */
  readonly constraint?: string;
  /** What the old system calls the record: its kind (`customer`, say), and its id there. */
  readonly recordType?: string;
  readonly sourceId?: string;
  /** For a reader that could not make a row: line (1-based), byte offset of the record, its raw text. */
  readonly line?: number;
  readonly offset?: number;
  readonly raw?: string;
}

/** Where messages for the batch's log go; facts are plain JSON. */
export interface Log {
  debug(message: string, facts?: Readonly<Record<string, unknown>>): void;
  info(message: string, facts?: Readonly<Record<string, unknown>>): void;
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void;
  error(message: string, facts?: Readonly<Record<string, unknown>>): void;
}

/** A session of the database, which ends only when its owner ends it. */
export interface Session {
  /** One statement; rows as objects with pg's usual types, and how many rows it has read or written. */
  query<T extends AnyRow = Row>(
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<{ readonly rows: readonly T[]; readonly rowCount: number | null }>;
  /** A connection that is lost between two statements is told here alone; without a listener it ends the process. */
  on(event: 'error', listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

/** The database as sources, stages and checks see it. */
export interface Database {
  /** One statement on a shared session; rows as objects with pg's usual types. */
  query<T extends AnyRow = Row>(sql: string, parameters?: readonly unknown[]): Promise<T[]>;
  /** A session of the caller's own, which the caller ends. `purpose` shows in pg_stat_activity. */
  connect(purpose: string): Promise<Session>;
  /**
   * The id of an exported snapshot that every reader of this run shares, or undefined where each
   * statement may see its own (a check before the run, say). See SET TRANSACTION SNAPSHOT.
   */
  snapshot?(): Promise<string>;
}

/**
 * What the engine hands to every source, stage and sink. Each gets one of its own, so that the counting
 * verbs count for the one who calls them.
 *
 * The accounting identity of a stage, checked by the engine at the end of every flow:
 *   rows in + added = rows out + rejected + skipped + merged
 */
export interface Run {
  /** The batch's id, or undefined in a dry run, which writes nothing. */
  readonly batch: string | undefined;
  readonly dryRun: boolean;
  /**
   * When the batch began by the database's clock, also where the load is resumed later: a "now" that is
   * the same however often rows are read. In a dry run, the moment at which it began.
   */
  readonly startedAt: Date;
  /** Aborted when the run must stop; every wait of a source, stage or sink must heed it. */
  readonly signal: AbortSignal;
  /** `--set name=value` over the pipeline's defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Log;
  readonly database: Database;
  /** Where this run may keep scratch files; each deletes its own. Exists. */
  readonly scratch: string;
  /**
   * What several sources or questions of the run use together: made once for every `key`, released when the run is
   * over. Rejects as `make` does.
   */
  share<T>(key: string, make: () => Promise<T>, release: (made: T) => Promise<void> | void): Promise<T>;
  /** Sets a row aside with its reason; it must not be passed on as well. Throws under --stop-on-error. */
  reject(row: AnyRow | undefined, why: Rejection): void;
  /**
   * Rows left out on purpose, nothing being wrong with them: how many, or the rows themselves, so that each
   * one's record in the ledger says why.
   */
  skip(reason: string, rows?: number | readonly AnyRow[]): void;
  /** Rows that went into another row (grouping, deduplication): how many, or the rows themselves. */
  merge(reason: string, rows?: number | readonly AnyRow[]): void;
  /** Rows passed on that no row came in for (a group's summary, a row split in two). */
  add(reason: string, rows?: number): void;
  /** Rows passed on as they were, there being nothing to do; reported beside the skipped ones. */
  keep(reason: string, rows?: number): void;
  /**
   * Rows passed on as they were because something is wrong with them, which a report should list: they are published
   * unchanged, counted as skipped, and the run does not end as one that has done all (exit code 4).
   */
  leave(reason: string, rows?: number): void;
  /** Leaves a report with the run; one of the same name replaces it. */
  report(report: Report): void;
  /** All rows of the report `name`, as they come, for who wants more than the report keeps (`--reports-into`). */
  reportRows(name: string, columns: readonly string[], rows: readonly (readonly string[])[]): void;
  /** Tells the user of a file that this run has written (a backup, an export). */
  wrote(file: string, what: string): void;
  /** For sources: how far the reading is, in bytes or rows; `of` is the total where it is known. */
  progress(position: { readonly bytes?: number; readonly rows?: number; readonly of?: number }): void;
}

/**
 * `run` with some of its verbs changed. Not a copy of it: to copy a run is to ask it for everything, and its
 * scratch folder is made when it is asked for.
 */
export function changedRun(run: Run, changes: Partial<Omit<Run, 'scratch'>>): Run {
  return Object.create(run, Object.getOwnPropertyDescriptors(changes)) as Run;
}
