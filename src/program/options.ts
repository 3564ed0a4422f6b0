import type { Log } from '../core/run.js';
import type { StoredReject } from '../core/stored-reject.js';
import type { InputProgress } from '../db/ledger/batches.js';
import type { RunChoices } from '../run/given/choices.js';
import type { IntoFiles } from '../run/given/into-files.js';
import type { Summary } from '../run/given/summary.js';
import type { InputsGiven } from './inputs-given.js';

/**
 * The database of a run: a URL or `key=value …` as libpq takes it; what the variables that are handed over name, in the
 * order of the command line (`{ environment: process.env }`); or a database of the embedded server, which is started for
 * it. No variable is read unasked.
 */
export type DatabaseGiven =
  | string
  | { readonly environment: Readonly<Record<string, string | undefined>> }
  | {
      /** The name of a database that is there, or true for the one that commands use where none is named. */
      readonly embedded: string | true;
      /** Where Sluice keeps its files. Default: `.sluice` in the working directory. */
      readonly directory?: string;
    };

/** How far an input is. */
export interface Progress {
  /** Rows read so far, of all inputs. */
  readonly rows: number;
  /** How far the inputs are and how far they go, in `unit`, where that is known. */
  readonly done?: number;
  readonly of?: number;
  readonly unit?: 'bytes' | 'rows';
  /** The same of each input that was begun. */
  readonly inputs: readonly InputProgress[];
}

/**
 * What a run tells while it goes on. A listener that throws, or whose promise is rejected, stops the run: it ends as
 * `listener_failed`, with nothing published. One that throws once the publish is committed changes nothing of the
 * outcome; that is logged.
 */
export interface RunEvents {
  /** The run has its batch. A dry run has none. */
  batch?(id: string): unknown;
  /** A phase begins (`check`, `load`, `validate`, `prepare`, `publish`, …), and what is done in it, as a sentence. */
  phase?(name: string, what: string): unknown;
  /** Some of the rows are read; several times a second at most. */
  progress?(at: Progress): unknown;
  /** A sentence worth showing, and what can be done about it. */
  note?(text: string, next: readonly string[]): unknown;
  warn?(text: string, next: readonly string[]): unknown;
  /** How far a run had come that ends in an error, which is thrown after this. */
  failed?(summary: Summary): unknown;
}

/** What every call on a database takes. */
export interface CallOptions {
  readonly database: DatabaseGiven;
  /** Asks to stop; the call ends as `interrupted`, with the state that things are in. */
  readonly signal?: AbortSignal;
  readonly events?: RunEvents;
  /** Where lines of the log go. Default: nowhere. */
  readonly log?: Log;
}

/** How a program runs a pipeline. What a command asks on a terminal is not asked: to call is to consent. */
export interface RunOptions extends Omit<CallOptions, 'database'>, Omit<RunChoices, 'signal'> {
  /** Left out: there is none, which only a run needs that publishes nothing, since its rows end in files. */
  readonly database?: DatabaseGiven;
  /** Where the rows go in place of the pipeline's tables: a path (`out/%t.csv`, %t being the table), or how it is written. */
  readonly into?: string | IntoFiles;
  /**
   * What is read in place of the pipeline's own sources, by input. Of a run that resumes a batch, left out: the files that
   * the batch was given by their paths. With `onlyRejectsOf`: the corrected rejects of that input.
   */
  readonly inputs?: InputsGiven;
  /** A folder, JSON document or SQLite file that has several inputs; with `onlyRejectsOf`, files of corrected rejects. */
  readonly source?: string;
  /** Rejects that may be published with: rows, or a share of those read (`'0.5%'`). Default: none. */
  readonly maxRejects?: number | `${number}%`;
}

/** The same for a run that publishes nothing. */
export interface TrialOptions extends RunOptions {
  /** Only so many rows of every input. */
  readonly limit?: number;
}

/** What a check asks about. */
export interface CheckOptions
  extends CallOptions,
    Pick<RunOptions, 'inputs' | 'source' | 'settings' | 'maxRejects'> {
  /** Every row is read, transformed and checked, once the questions have found no error. Default: true. */
  readonly rows?: boolean;
}

/** How a staged batch is published. */
export interface SwapOptions
  extends CallOptions,
    Pick<RunChoices, 'maxShrink' | 'allowSuppressed' | 'rewriteOids' | 'runOwnersCode'> {}

/** How a batch is rolled back. */
export interface RollbackOptions extends CallOptions, Pick<RunChoices, 'rewriteOids' | 'runOwnersCode'> {
  /** Only these tables of the batch, `schema.table` or the name alone. Default: all. */
  readonly tables?: readonly string[];
  /** Only the views under old names; the old tables take their names again. */
  readonly views?: boolean;
  /** Undo although rows were written since the publish, and lose those. */
  readonly discardWrites?: boolean;
  /** Say what would be done, and change nothing. */
  readonly dryRun?: boolean;
}

/** What a run leaves: its summary, and the first ten of its rejects. */
export interface RunResult extends Summary {
  readonly rejects: readonly StoredReject[];
}
