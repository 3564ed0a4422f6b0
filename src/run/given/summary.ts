import type { FlowAccount } from '../../core/accounting.js';
import type { Changes } from '../../core/changes.js';
import type { ErrorAnswer } from '../../core/errors/answer.js';
import type { ErrorKind } from '../../core/errors/sluice-error.js';
import type { FrequentError, RecordTypeSummary } from '../../core/record-summary.js';
import type { Report } from '../../core/report.js';

/** What a run leaves, as `--json` prints it (see docs). Rows throughout; `lock_ms` milliseconds. */
export interface Summary {
  readonly batch: string | null;
  /** Null where the command came to none. */
  readonly pipeline: string | null;
  /**
   * How it ended; of a run that ended in an error the kind of that. Of one that publishes nothing: `written`, or `unread`
   * where whoever read all that it wrote went away before the end.
   */
  readonly status:
    | 'dry run'
    | 'written'
    | 'unread'
    | 'rehearsed'
    | 'staged'
    | 'completed'
    | 'unchanged'
    | ErrorKind;
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
