import type { KeptRecords } from '../../core/pipeline.js';

/** How a pipeline is run, as whoever runs it may choose; every choice is optional. */
export interface RunChoices {
  /** How to find the pipeline again: its name, or a path. */
  readonly from?: string;
  /** Settings of the pipeline in place of their defaults, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The id of a batch that broke off: resume it. */
  readonly resume?: string;
  /** Load also what live is already. */
  readonly always?: boolean;
  /** Stop at the first rejected row. */
  readonly stopOnError?: boolean;
  /** Where the run is asked to stop, what is loaded stays, to be resumed. Default: it is dropped. */
  readonly keepStaging?: boolean;
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
  /** Nothing of the source is kept: rejects without values and rows, no reports, a log without its facts. */
  readonly noSourceData?: boolean;
  /** Which records are kept in the ledger. Default: all that the pipeline declares. */
  readonly records?: KeptRecords;
  /** The inputs are corrected rejects of that batch. */
  readonly onlyRejectsOf?: string;
  /** A folder for files of the rejects, one for each input that has some, to be corrected. */
  readonly rejectsInto?: string;
  /** A folder for files of the reports, one for each with all of its rows. */
  readonly reportsInto?: string;
  /** What keeps writes during the load from being lost. Default: journal. */
  readonly guard?: 'journal' | 'lock' | 'off';
  /**
   * Sessions that fill a table at once, of a flow that is loaded in parts (default: as many as the machine has cores, at most
   * 4), and flows followed at once (default: 2); fewer where the server has not the connections for it.
   */
  readonly jobs?: number;
  /**
   * Threads beside the main one that read and encode the rows of a flow that is loaded in parts. Default: none. Each makes
   * the pipeline again out of its file; where it has none, or threads are of no use, a note says so.
   */
  readonly threads?: number;
  /** Parts of files are loaded by workers (`sluice worker`), on whatever hosts they are; where they cannot be, a note says so. */
  readonly workers?: boolean;
  /** append, merge, sync, patch: the tables' own triggers do not fire. Needs their owner. */
  readonly noTriggers?: boolean;
  /** Asks to stop: nothing is published then, unless the publish is committed already. */
  readonly signal?: AbortSignal;
}
