import type { FlowAccount } from '../../core/accounting.js';
import type { Changes } from '../../core/changes.js';
import type { CommandData } from '../../core/command.js';
import type { ErrorAnswer } from '../../core/errors/answer.js';
import type { ErrorKind } from '../../core/errors/sluice-error.js';
import type { Next } from '../../core/next.js';
import type { KeptRecords } from '../../core/pipeline.js';
import type { FrequentError, RecordSummary, RecordTypeSummary } from '../../core/record-summary.js';
import type { Report } from '../../core/report.js';
import type { Log, Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import type { PgDatabase } from '../../db/connect.js';
import type { InputProgress } from '../../db/ledger/batches.js';
import type { Plan } from './plan.js';
import type { RejectLimit } from './reject-limit.js';

/** What a run tells while it goes on; every method is optional and must not throw. */
export interface Events {
  /** A phase begins: check, load, validate, prepare, publish. */
  phase?(name: string, what: string): void;
  /** Rows read so far, and how far the input is, in its own unit, where that is known. */
  progress?(at: {
    readonly rows: number;
    readonly done?: number;
    readonly of?: number;
    readonly unit?: 'bytes' | 'rows';
    /** The same of each input that was begun. */
    readonly inputs: readonly InputProgress[];
  }): void;
  /** What became of the records of a run that failed. */
  records?(summary: RecordSummary): void;
  /** How far a run had come that ends in an error. */
  failed?(summary: Summary): void;
  /** A sentence worth showing, and what to do about it. */
  note?(text: string, next?: Next): void;
  warn?(text: string, next?: Next): void;
}

/** How a pipeline is run. */
export interface RunOptions {
  readonly database: PgDatabase;
  /** How to find the pipeline again: its name, or a path. */
  readonly from?: string;
  /** The command that asks for the run, as the ledger is to keep it: what later commands suggest is made of it. */
  readonly command?: CommandData;
  /** Sources given in place of the declared ones, by input name. */
  readonly inputs?: Readonly<Record<string, Source>>;
  /** Inputs that were given by the command that loaded the batch; for a command that reads none. */
  readonly givenBefore?: readonly string[];
  readonly settings?: Readonly<Record<string, string>>;
  /** Reads, transforms and type-checks every row, and writes nothing. */
  readonly dryRun?: boolean;
  /** Loads staging and runs the whole publish in a transaction that is rolled back. */
  readonly rehearse?: boolean;
  /** False: stop when staging is loaded and validated (`load`). Default true. */
  readonly publish?: boolean;
  /** The id of a batch that broke off: resume it. */
  readonly resume?: string;
  /** Load also what live is already. */
  readonly always?: boolean;
  readonly stopOnError?: boolean;
  /** Where the run is asked to stop, what is loaded stays, to be resumed. Default: it is dropped. */
  readonly keepStaging?: boolean;
  /** Bytes of rows that are committed together, and lost at most when a load breaks off. Default: 8 MiB. */
  readonly segmentBytes?: number;
  /** A table with rows may be replaced by one without any. */
  readonly allowEmpty?: boolean;
  /**
   * The share of its rows, in percent, that a table may lose. Default: the target's word, else 50. 100 allows that none
   * is left, too.
   */
  readonly maxShrink?: number;
  /** Publish although triggers keep rows from being written. Default: the target's word, else refuse. */
  readonly allowSuppressed?: boolean;
  /** replace: OIDs of the tables that rows of others keep become those of the new ones. Default: the target's own. */
  readonly rewriteOids?: boolean;
  /** Code of the tables' owners may run with the rights of the session, though it has more than they. Default: refuse. */
  readonly runOwnersCode?: boolean;
  /** Rejects that may be published with. Default: none. */
  readonly maxRejects?: RejectLimit;
  /** Nothing of the source is kept: rejects without values and rows, no reports, a log without its facts. */
  readonly noSourceData?: boolean;
  /** Which records are kept in the ledger. Default: all that the pipeline declares. */
  readonly records?: KeptRecords;
  /** The inputs are corrected rejects of that batch. */
  readonly onlyRejectsOf?: string;
  /** With it: corrected rejects of any of the inputs; each row says by its number which it belongs to. */
  readonly corrected?: readonly Source[];
  /** With it: the inputs that the batch was given, where they have to be read again. Default: the pipeline's own. */
  readonly originals?: () => Promise<Readonly<Record<string, Source>>>;
  /** A folder for files of the rejects, one for each input that has some, to be corrected. */
  readonly rejectsInto?: string;
  /** A folder for files of the reports, one for each with all of its rows. */
  readonly reportsInto?: string;
  /** What `sluice copy` was asked for; kept in the ledger, so that rejects can be resubmitted. */
  readonly copy?: Readonly<Record<string, unknown>>;
  /** Only so many rows of every input; nothing is published then. */
  readonly limit?: number;
  /** What keeps writes during the load from being lost. Default: journal. */
  readonly guard?: 'journal' | 'lock' | 'off';
  /**
   * Sessions that fill a table at once, of a flow that is loaded in parts (default: as many as the machine has cores, at most
   * 4), and flows followed at once (default: 2); fewer where the server has not the connections for it.
   */
  readonly jobs?: number;
  /** append, merge, sync, patch: the tables' own triggers do not fire. Needs their owner. */
  readonly noTriggers?: boolean;
  readonly log: Log;
  /** What sources share with somebody else's reading, who releases it: the same state of an SQLite file. */
  readonly share?: Run['share'];
  /** Where the log of a batch goes; stored with the batch. Asked once there is a ledger. */
  readonly logFileFor?: (batch: string) => string | Promise<string>;
  /** Told once the batch has its id, before anything of it happens. */
  readonly onBatch?: (batch: string, logFile: string | undefined) => void;
  readonly signal?: AbortSignal;
  readonly events?: Events;
  /** Asked once the checks are through, with the plan; false ends the run with nothing written. */
  readonly confirm?: (plan: Plan) => Promise<boolean>;
  /** The columns of tables that staging was filled in, in place of what the mappings of today say. */
  readonly fills?: Readonly<Record<string, readonly string[]>>;
}

/** What a run leaves, as `--json` prints it (see docs). Rows throughout; `lock_ms` milliseconds. */
export interface Summary {
  readonly batch: string | null;
  /** Null where the command came to none. */
  readonly pipeline: string | null;
  /** How it ended; of a run that ended in an error the kind of that. */
  readonly status: 'dry run' | 'rehearsed' | 'staged' | 'completed' | 'unchanged' | ErrorKind;
  /** The batch that has published the very same, where nothing was loaded for that reason; else null. */
  readonly published_by: string | null;
  readonly read: number;
  /**
   * Staged rows, by table; once they are published (or were, in a rehearsal), those that the table holds: without rows
   * that a trigger suppressed, and without keys that a patch did not find.
   */
  readonly loaded: Readonly<Record<string, number>>;
  /** What the publish did to the rows of each table, would do, or found nothing to do with; empty before it is known. */
  readonly changes: Readonly<Record<string, Changes>>;
  readonly rejected: number;
  readonly skipped: number;
  /** Part of `skipped`: rows that were passed on as they were because something is wrong with them. */
  readonly left: number;
  readonly published: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly rows_per_second: number;
  readonly lock_ms: number | null;
  readonly reject_reasons: Readonly<Record<string, number>>;
  readonly skip_reasons: Readonly<Record<string, number>>;
  /** The pipeline's own figures, by its names; empty where it has none. */
  readonly figures: Readonly<Record<string, number>>;
  readonly timings: Readonly<Record<string, number>>;
  /** What became of the rows at every stage of every flow. */
  readonly stages: readonly FlowAccount[];
  /** What became of the records, by type; empty where the pipeline declares none. */
  readonly records: readonly RecordTypeSummary[];
  /** The ten errors that were met most. */
  readonly frequent_errors: readonly FrequentError[];
  readonly reports: readonly Report[];
  readonly files: readonly { readonly path: string; readonly what: string }[];
  /** What ended the run; null where it ended well. */
  readonly error: ErrorAnswer | null;
}
