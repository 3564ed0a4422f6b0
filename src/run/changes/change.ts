import type { WindowPart } from '../../../sinks/publish/window.js';
import type { Finding } from '../../core/pipeline.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { PublishEntry } from '../../db/ledger/publish-sql.js';
import type { RunOptions } from '../given/options.js';

/** What every change is made with. */
export type Site = Pick<RunOptions, 'database' | 'events' | 'log' | 'signal'>;

/** A table of a published batch that is taken back, as the ledger records it. */
interface UndoEntry {
  readonly schema: string;
  readonly table: string;
  /** Where the table that was live until now is kept; null for modes that keep no table. */
  readonly retained: PublishEntry['retained'];
}

/** What a change has the ledger record in the publishing transaction. */
export interface LedgerShare {
  readonly published?: readonly PublishEntry[];
  readonly undone?: readonly UndoEntry[];
  readonly statements?: readonly string[];
}

/**
 * One kind of thing that a publish changes: it knows how it is looked at, made ready, done, told and taken away again.
 * A run, a swap, a rehearsal, a plan and a rollback are sequences of these verbs over the changes of a batch:
 *
 *     survey → stage (or adopt) → [the load] → survey → prepare → window, ledger → tidy
 *
 * and `discard` wherever it ends before the window has committed. What is undone is a change as well, the inverse of the
 * one that was published, with the same verbs; it stands beside it. A verb that is not overridden does nothing.
 *
 * A change keeps what its verbs have learnt, and later ones build on the latest of it.
 */
export abstract class Change {
  /** What checks call the survey. */
  abstract readonly question: string;
  /** Whether rows are loaded for it: what it has surveyed may not be so any more once they are. */
  readonly loads: boolean = false;
  /** How long isUnchanged takes, beside others: what is quick to tell is asked first. */
  readonly effort: number = 0;

  /**
   * Looks at what is there, and finds what stands against the change. Writes nothing. May be repeated; once rows are
   * staged it throws refused `shape` where live does not fit them any more.
   */
  async survey(): Promise<readonly Finding[]> {
    return [];
  }

  /** Makes what has to be there before rows are read: empty staging, a guard. Throws refused where something is in the way. */
  async stage(): Promise<void> {}

  /** Takes over what an earlier command has staged for `batch`. Throws refused where it is gone, or live does not fit it. */
  async adopt(_batch: Batch): Promise<void> {}

  /** Makes ready what is loaded, as live is now. May be repeated, where live was altered in between. */
  async prepare(): Promise<void> {}

  /**
   * Whether publishing it would change nothing. Where that takes longer than until the moment `until` (as performance.now
   * has it) it says no: to publish what is there already harms nobody.
   */
  async isUnchanged(_until: number): Promise<boolean> {
    return true;
  }

  /**
   * The parts of the publishing transaction, this change's among them: `parts` are those of the changes before it. Before
   * prepare they are the plan of it.
   */
  window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return parts;
  }

  /** What is recorded of it in the same transaction. */
  ledger(): LedgerShare {
    return {};
  }

  /** The error of the window, as this change knows better; undefined where it is none of its own. Does not throw. */
  async explain(_error: unknown): Promise<unknown> {
    return undefined;
  }

  /** After commit: takes away what nobody needs any more. Nothing is lost where it fails, and the next command goes on with it. */
  async tidy(): Promise<void> {}

  /** Leaves what is prepared to another command, with live as if it were not there. May be repeated. */
  async release(): Promise<void> {}

  /** Nothing is published: takes away what stage and prepare have made. May be repeated. */
  async discard(): Promise<void> {}
}
