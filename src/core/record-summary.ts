import type { Reasons } from './accounting.js';

/** What became of the records of one type; plain data. total = success + error + skipped. */
export interface RecordTypeSummary {
  readonly type: string;
  readonly total: number;
  readonly success: number;
  readonly error: number;
  readonly skipped: number;
  /** Errors by reason. */
  readonly errors: Reasons;
  /** Skipped records by reason. */
  readonly skips: Reasons;
}

/** One of the errors that a run met most, with the first row that had it. */
export interface FrequentError {
  readonly reason: string;
  readonly column: string | null;
  readonly rows: number;
  readonly example: {
    readonly input: string;
    readonly line: number | null;
    readonly source_id: string | null;
    readonly message: string;
  };
}

/** What a batch keeps of its records beside them. */
export interface RecordSummary {
  readonly types: readonly RecordTypeSummary[];
  readonly errors: readonly FrequentError[];
}
