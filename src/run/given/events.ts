import type { Next } from '../../core/next.js';
import type { RecordSummary } from '../../core/record-summary.js';
import type { InputProgress } from '../../db/ledger/batches.js';
import type { Summary } from './summary.js';

/** What workers load of a run. */
export interface Shares {
  /** Parts that were handed over so far, and those of them that are loaded. */
  readonly parts: number;
  readonly loaded: number;
  /** Those that have loaded something, by name. */
  readonly hosts: readonly { readonly host: string; readonly rowsPerSecond: number }[];
}

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
    /** What workers load, where they do. */
    readonly shares?: Shares;
  }): void;
  /** What became of the records of a run that failed. */
  records?(summary: RecordSummary): void;
  /** How far a run had come that ends in an error. */
  failed?(summary: Summary): void;
  /** A sentence worth showing, and what to do about it. */
  note?(text: string, next?: Next): void;
  warn?(text: string, next?: Next): void;
}
