import type { CommandData } from '../../core/command.js';
import type { Log, Run } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';
import type { Source } from '../../core/types.js';
import type { PgDatabase } from '../../db/connect.js';
import type { RunChoices } from './choices.js';
import type { Events } from './events.js';
import type { WholePlan } from './publish-plan.js';
import type { RejectLimit } from './reject-limit.js';

/** How a pipeline and its inputs are made again, out of plain data, where only that can go. */
export interface MakingAgain {
  /** The compiled file of a thread that serves parts (`serveThread`). */
  readonly thread: string;
  /** What the thread makes them of. */
  readonly recipe: unknown;
}

/** How a pipeline is run. */
export interface RunOptions extends RunChoices {
  readonly database: PgDatabase;
  /** The command that asks for the run, as the ledger is to keep it: what later commands suggest is made of it. */
  readonly command?: CommandData;
  /** Sources given in place of the declared ones, by input name. */
  readonly inputs?: Readonly<Record<string, Source>>;
  /** Inputs that were given by the command that loaded the batch; for a command that reads none. */
  readonly givenBefore?: readonly string[];
  /** Reads, transforms and type-checks every row, and writes nothing. */
  readonly dryRun?: boolean;
  /** Loads staging and runs the whole publish in a transaction that is rolled back. */
  readonly rehearse?: boolean;
  /** False: stop when staging is loaded and validated (`load`). Default true. */
  readonly publish?: boolean;
  /** Bytes of rows that are committed together, and lost at most when a load breaks off. Default: 8 MiB. */
  readonly segmentBytes?: number;
  /** Rejects that may be published with. Default: none. */
  readonly maxRejects?: RejectLimit;
  /** With it: corrected rejects of any of the inputs; each row says by its number which it belongs to. */
  readonly corrected?: readonly Source[];
  /** With it: the inputs that the batch was given, where they have to be read again. Default: the pipeline's own. */
  readonly originals?: () => Promise<Readonly<Record<string, Source>>>;
  /** What `sluice copy` was asked for; kept in the ledger, so that rejects can be resubmitted. */
  readonly copy?: Readonly<Record<string, unknown>>;
  /** Only so many rows of every input; nothing is published then. */
  readonly limit?: number;
  /** Where the queue of workers is. Default: in the database itself. */
  readonly queue?: PgDatabase;
  /** How somebody else makes the pipeline and its inputs again; left out where nobody can. */
  readonly again?: MakingAgain;
  readonly log: Log;
  /** The folder in which the run makes its scratch folder. Default: the system's for such. */
  readonly scratchIn?: string;
  /** Takes the rejects in place of the ledger, for whoever loads parts of somebody else's run. */
  readonly rejectsTo?: (rejects: readonly StoredReject[]) => Promise<void>;
  /** What sources share with somebody else's reading, who releases it: the same state of an SQLite file. */
  readonly share?: Run['share'];
  /** Where the log of a batch goes; stored with the batch. Asked once there is a ledger. */
  readonly logFileFor?: (batch: string) => string | Promise<string>;
  /** Told once the batch has its id, before anything of it happens. */
  readonly onBatch?: (batch: string, logFile: string | undefined) => void;
  readonly events?: Events;
  /** Asked once the checks are through, with the plan; false ends the run with nothing written. */
  readonly confirm?: (plan: WholePlan) => Promise<boolean>;
  /** The columns of tables that staging was filled in, in place of what the mappings of today say. */
  readonly fills?: Readonly<Record<string, readonly string[]>>;
}
