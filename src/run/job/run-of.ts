import { join } from 'node:path';
import { type StageCounter, tally } from '../../core/accounting.js';
import type { Row } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { usersDatabase } from '../../db/users-database.js';
import type { Masking } from '../given/masking.js';
import type { RunOptions } from '../given/options.js';
import type { Progress } from '../inputs/progress.js';
import type { RejectWriter } from '../rejects/writer.js';
import { ReportSpool } from './report-spool.js';
import type { JobState } from './state.js';

/** What of a job a Run reaches. */
export interface RunningJob extends Pick<Run, 'batch' | 'settings' | 'log' | 'scratch' | 'share'> {
  readonly options: Pick<RunOptions, 'dryRun' | 'database' | 'reportsInto'>;
  readonly begunAt: Date;
  readonly progress: Progress;
  readonly rejects: RejectWriter;
  readonly state: Pick<JobState, 'tracked' | 'reports' | 'files' | 'reportSpool'>;
  readonly masking: Masking;
  /** The pipeline's name for the input that messages call so. */
  nameOf(label: string): string;
}

/** Where a Run is used: what it counts in, of which input, in which flow (-1: in none). */
export interface RunPlace {
  readonly counter: StageCounter;
  readonly input: string;
  readonly signal: AbortSignal;
  readonly flow: number;
  /** Which of those that read parts of the flow's input at the same time. */
  readonly lane?: number;
}

/** What sources, stages and sinks of a job are given: their verbs count, and reach its rejects, records and reports. */
export function runOf(job: RunningJob, { counter, input, signal, flow, lane = 0 }: RunPlace): Run {
  if (flow >= 0) job.progress.counts(`${flow}/${lane}`, counter);
  return {
    batch: job.batch,
    dryRun: job.options.dryRun ?? false,
    startedAt: job.begunAt,
    signal,
    settings: job.settings,
    log: job.log,
    database: usersDatabase(job.options.database),
    get scratch() {
      return job.scratch;
    },
    share: job.share,
    reject(row: Row | undefined, why) {
      tally(counter.rejected, why.reason, 1);
      // What the source itself rejects is the input's record.
      const known = counter.role === 'source' ? row : undefined;
      job.rejects.add(input, counter.stage, row, why, job.state.tracked?.of(flow), known);
    },
    skip(reason, rows: number | readonly Row[] = 1) {
      tally(counter.skipped, reason, countOf(rows));
      // What one branch of a fork leaves out goes into another.
      if (typeof rows !== 'number' && counter.branch === '') job.state.tracked?.of(flow)?.left(rows, reason);
    },
    merge(reason, rows: number | readonly Row[] = 1) {
      tally(counter.merged, reason, countOf(rows));
      if (typeof rows !== 'number' && counter.branch === '') job.state.tracked?.of(flow)?.left(rows, reason);
    },
    add: (reason, rows = 1) => tally(counter.added, reason, rows),
    keep: (reason, rows = 1) => tally(counter.kept, reason, rows),
    leave: (reason, rows = 1) => tally(counter.left, reason, rows),
    report(report) {
      const at = job.state.reports.findIndex((each) => each.name === report.name);
      if (at >= 0) job.state.reports[at] = report;
      else job.state.reports.push(report);
    },
    reportRows(name, columns, rows) {
      if (job.options.reportsInto === undefined || rows.length === 0) return;
      job.state.reportSpool ??= new ReportSpool(join(job.scratch, 'reports'));
      const kept = job.masking.report({ name, columns, rows, more: 0, summary: [] });
      if (kept !== undefined) job.state.reportSpool.add(name, columns, kept.rows);
    },
    wrote: (path, what) => job.state.files.push({ path, what }),
    progress: (position) => job.progress.advance(counter, job.nameOf(input), position),
  };
}

function countOf(rows: number | readonly Row[]): number {
  return typeof rows === 'number' ? rows : rows.length;
}
