import type { Refusal } from '../../../sinks/publish/replace/refusals.js';
import type { TableLock } from '../../../sinks/publish/window.js';
import type { PublishMode } from '../../core/target.js';

/** A refusal with all that can be done. */
export type Refused = Omit<Refusal, 'stays'>;

import type { Blocker } from '../../db/locks/blockers.js';

/** One table of a plan. */
export interface PlannedTable {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly mode: PublishMode;
  /** Rows in live now, as the planner's statistics estimate them. */
  readonly liveRows: number;
  readonly liveBytes: number;
  /** It is not there yet: the run makes it. */
  readonly missing: boolean;
}

/** What a run is about to do; plain data, printable before anything happens. */
export interface Plan {
  readonly pipeline: string;
  readonly summary: string;
  readonly database: string;
  /** `read`: in how many parts, of which kind, or why in one piece; of `plan` alone. */
  readonly inputs: readonly { readonly name: string; readonly from: string; readonly read?: string }[];
  readonly tables: readonly PlannedTable[];
  readonly settings: Readonly<Record<string, string>>;
  readonly validations: readonly { readonly name: string; readonly summary: string }[];
  /** Views under the old system's names; `replaces`: a table of the name is kept aside. */
  readonly oldNames: readonly { readonly name: string; readonly replaces: boolean }[];
  /** What follows the tables' names when they are swapped: kind, name and how it is carried. */
  readonly carried: readonly { readonly kind: string; readonly name: string; readonly how: string }[];
  /** What the pipeline says of a run that is to be published; empty where nothing will be. */
  readonly warnings: readonly string[];
  /** Views that the pipeline brings along: `made` by the publish, or there already. */
  readonly views: readonly { readonly schema: string; readonly name: string; readonly made: boolean }[];
  /** The publish as it would be; only of a dry run and of `plan`. */
  readonly publish?: PublishPlan;
}

/** The disk that a run needs while staging and live exist side by side. Bytes; null: cannot be known. */
export interface DiskPlan {
  readonly tables: readonly {
    readonly table: string;
    /** Staging without indexes: as large as the replaced table is, or as the input files are. */
    readonly staging: number | null;
    /** Indexes that are built on staging: as large as live's. */
    readonly indexes: number | null;
  }[];
  readonly needed: number | null;
  readonly free: number | null;
  /** Where `free` was looked up, or why it is not known. */
  readonly where: string;
}

/** A lock of the window, and who holds one now that it would wait for. */
export interface PlannedLock extends TableLock {
  readonly holders: readonly Blocker[];
}

/** A table kept from an earlier batch. */
export interface KeptCopy {
  readonly batch: string;
  readonly table: string;
  readonly kept: string;
  readonly bytes: number;
}

/** The publish as it would be; plain data. */
export interface PublishPlan {
  /** What is done about writes during the load, and to which tables. */
  readonly guard: { readonly how: 'journal' | 'lock' | 'off'; readonly tables: readonly string[] };
  /** Statements that lock before the tables are: those whose rows change, then dependents, in this order. */
  readonly first: readonly string[];
  /** The tables' locks, in the order in which they are taken. */
  readonly locks: readonly PlannedLock[];
  readonly carried: Plan['carried'];
  readonly refused: readonly Refused[];
  readonly disk: DiskPlan;
  readonly kept: readonly KeptCopy[];
  /**
   * The transaction, statement by statement. What only the batch will know stands for itself: `<batch>` for its id
   * in names (0 where it is a number), 0 for the OID of a staged table.
   */
  readonly statements: string;
}
