import type { StageAccount, StageCounter } from '../../../core/accounting.js';
import type { ErrorData } from '../../../core/errors/as-data.js';
import type { KnownPart, PartPlace } from '../../../core/parts.js';
import type { Report } from '../../../core/report.js';
import type { Log } from '../../../core/run.js';
import type { StoredReject } from '../../../core/stored-reject.js';
import type { ApartJob, ApartTask } from '../apart.js';

/** What threads say to each other of a flow that is loaded in parts: plain data all of it. */

/** What a thread is begun with. */
export interface ThreadData {
  /** How the command line makes the pipeline and its inputs again; its own affair. */
  readonly recipe: unknown;
  readonly job: ApartJob;
  readonly database: {
    readonly url: string | undefined;
    readonly from: string;
    /** Variables do not say where it is. */
    readonly bare: boolean;
  };
  /** A folder in which the thread makes its own scratch folder. */
  readonly scratch: string;
}

/** A part that a thread is given. */
export interface GivenPart {
  readonly place: PartPlace;
  /** Its text, which the memory begins with: that goes along, and comes back. None where the thread reads it itself. */
  readonly text: { readonly memory: ArrayBuffer; readonly bytes: number } | undefined;
  /** What an earlier attempt has loaded of it: it is compared. */
  readonly known: KnownPart | undefined;
}

/** A counter, as far as it has counted. */
export interface Counted {
  readonly lane: number;
  readonly role: StageCounter['role'];
  readonly account: StageAccount;
}

/** What the main thread asks of another; answered when it is done. */
export type AskedOfThread =
  | { readonly do: 'load'; readonly task: ApartTask }
  /** To let go of all that it has. */
  | { readonly do: 'end' };

/** What the main thread tells another. */
export interface ToldThread {
  /** The run is to stop. */
  readonly stop: ErrorData;
}

/** What a thread asks of the main one. */
export type AskedOfMain =
  /** The next part, while it is there: a GivenPart. What it has counted until then is told with it. */
  | { readonly want: 'part'; readonly counted: readonly Counted[] }
  /** That the rejects are stored. */
  | { readonly want: 'stored'; readonly rejects: readonly StoredReject[] }
  /** The id of the run's snapshot. */
  | { readonly want: 'snapshot' };

/** What a thread tells the main one. */
export type ToldMain =
  /** Memory that it was given, which may be filled again. */
  | { readonly tell: 'back'; readonly start: number; readonly memory: ArrayBuffer }
  | { readonly tell: 'counted'; readonly counted: readonly Counted[] }
  | { readonly tell: 'report'; readonly report: Report }
  | {
      readonly tell: 'reportRows';
      readonly name: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly tell: 'wrote'; readonly path: string; readonly what: string }
  | {
      readonly tell: 'log';
      readonly level: keyof Log;
      readonly message: string;
      /** As JSON. */
      readonly facts: string | undefined;
    };
