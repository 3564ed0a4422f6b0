import type { FlowAccount } from '../../core/accounting.js';
import type { RecordSummary } from '../../core/record-summary.js';
import type { Report } from '../../core/report.js';
import type { Target } from '../../core/target.js';
import type { Staging } from '../../core/types.js';
import type { MadeOf } from '../../db/ledger/published.js';
import type { RunManifest } from '../../db/ledger/run-manifest.js';
import type { Records } from '../records/index.js';
import type { ReportSpool } from './report-spool.js';

/** A file that a run has written. */
export interface WrittenFile {
  readonly path: string;
  readonly what: string;
}

/** What becomes of a job while it is at work; all that a phase tells later ones, beside what the changes have learnt. */
export class JobState {
  /** Seconds by phase. */
  readonly timings: Record<string, number> = {};
  readonly reports: Report[] = [];
  readonly files: WrittenFile[] = [];
  /** The ends that are no tables, as they were opened: what they have made is kept with the run, or not at all. */
  readonly ends: Staging[] = [];
  /** Those that an earlier attempt at the batch has written, as the ledger has them: told of, never touched. */
  readonly filesBefore: WrittenFile[] = [];
  /** The columns that its load has filled, by target. */
  readonly loadedColumns = new Map<Target, readonly string[]>();
  /** Where the batch's log goes, once there is a batch. */
  logFile: string | undefined;
  /** What resuming the batch would take, once it has begun. */
  manifest: RunManifest | undefined;
  /** What became of the records, once the load is complete. */
  records: RecordSummary = { types: [], errors: [] };
  /** The records of the load, while it goes on. */
  tracked: Records | undefined;
  /** Ends the cancelling of statements that an abort begins. */
  stopped: () => Promise<void> = async () => {};
  /** The accounts of the flows, once the load is complete. */
  accounts: readonly FlowAccount[] = [];
  /** The load is complete and its validations are answered: a swap can publish what is staged. */
  validated = false;
  /** The batch that has published the very same before: nothing is loaded. */
  publishedBy: string | undefined;
  /** What the rows of the table that it replaces were made of, where that is all that decides them. */
  madeOf: MadeOf | undefined;
  /** What of its time was a wait for somebody's answer. */
  waitedForAnswerMs = 0;
  /** All rows of the reports, where they go into files. */
  reportSpool: ReportSpool | undefined;
}
