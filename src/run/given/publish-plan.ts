import type { Refusal } from '../../../sinks/publish/replace/refusals.js';
import type { TableLock } from '../../../sinks/publish/window.js';
import type { Blocker } from '../../db/locks/blockers.js';
import type { Plan } from './plan.js';

/** A plan, and the publish as it would be; only of a dry run and of `plan`. */
export interface WholePlan extends Plan {
  readonly publish?: PublishPlan;
}

/** A refusal with all that can be done. */
export type Refused = Omit<Refusal, 'stays'>;

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
