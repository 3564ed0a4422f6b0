import { totals } from '../../core/accounting.js';
import { heldRows } from '../../core/changes.js';
import { errorAnswer } from '../../core/errors/answer.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import { formatOf, hasColumns } from '../../sources/format.js';
import { mappedSystem } from '../given/mappings.js';
import type { Summary } from '../given/summary.js';
import type { Job } from '../job/job.js';
import { byTable, type ChangesOf } from '../publish/counts.js';

/** How a run ended, and what it did. */
export interface Outcome {
  readonly status: Summary['status'];
  /** Rows in staging, where they stay there. */
  readonly loaded?: ReadonlyMap<Target, number>;
  readonly changes?: ChangesOf;
  /** How long the locks of the publish were held. */
  readonly lockMs?: number;
}

/** The summary of a run that ended so. */
export function summaryOf(job: Job, outcome: Outcome): Summary {
  const { status, lockMs } = outcome;
  const { accounts } = job.state;
  const { read, rejected, skipped, rejectReasons, skipReasons, left } = totals(accounts);
  const seconds = (performance.now() - job.startedAt - job.state.waitedForAnswerMs) / 1000;
  const changes = byTable(job, outcome.changes ?? new Map());
  const name = (target: Target) => target.table;
  return {
    batch: job.batch ?? null,
    pipeline: job.pipeline.name,
    status,
    published_by: job.state.publishedBy ?? null,
    read,
    loaded:
      status === 'completed' || status === 'rehearsed'
        ? Object.fromEntries(Object.entries(changes).map(([table, of]) => [table, heldRows(of) ?? of.staged]))
        : Object.fromEntries([...(outcome.loaded ?? [])].map(([target, rows]) => [name(target), rows])),
    changes,
    rejected,
    skipped,
    left,
    published:
      status === 'completed'
        ? Object.fromEntries(job.tables.map(({ target }) => [name(target), target.mode]))
        : {},
    seconds: rounded(seconds),
    rows_per_second: perSecond(read, seconds),
    lock_ms: lockMs === undefined ? null : rounded(lockMs),
    reject_reasons: rejectReasons,
    skip_reasons: skipReasons,
    // Of a run that broke off there are no accounts, and no figures.
    figures: accounts.length === 0 ? {} : (job.pipeline.figures?.(accounts) ?? {}),
    timings: Object.fromEntries(
      Object.entries(job.state.timings).map(([phase, spent]) => [phase, rounded(spent)]),
    ),
    stages: accounts,
    records: job.state.records.types,
    frequent_errors: job.state.records.errors,
    reports: job.state.reports,
    files: [...job.state.filesBefore, ...job.state.files],
    error: null,
  };
}

/** The same of a run that ended in an error: what was counted until then. */
export function failedSummary(job: Job, error: unknown): Summary {
  const { kind, answer } = errorAnswer(error);
  const summary = summaryOf(job, { status: kind });
  return {
    ...summary,
    ...(job.state.accounts.length > 0 ? {} : soFar(job, summary.seconds)),
    frequent_errors: job.rejects.frequent.top(),
    error: answer,
  };
}

/** Without accounts the counters of the load tell, as far as it came. */
function soFar(
  job: Job,
  seconds: number,
): Pick<Summary, 'read' | 'rejected' | 'skipped' | 'rows_per_second'> {
  const { total_records: read, error_count, skip_count: skipped } = job.progress.live;
  return {
    ...{ read, rejected: Math.max(error_count, job.rejects.count), skipped },
    rows_per_second: perSecond(read, seconds),
  };
}

const perSecond = (rows: number, seconds: number) => Math.round(rows / Math.max(seconds, 0.001));

function rounded(n: number): number {
  return Math.round(n * 1000) / 1000;
}

/** What MigrationBatch calls the source: a kind, and the file where there is one. */
export function sourceOf(job: Job): { readonly source: string; readonly sourceFile: string | undefined } {
  const { system, mappings } = job.pipeline;
  // The files of another system are not the pipeline's own.
  if (system !== undefined && (mappings === undefined || mappedSystem(mappings, job.settings) === system))
    return { source: system, sourceFile: filesOf(job) };
  const inputs = Object.values(job.inputs);
  if (job.resubmitted !== undefined) return { source: 'csv', sourceFile: job.resubmitted.files.join(', ') };
  const files = inputs.filter((source) => source.kind === 'file' || source.kind === 'stdin');
  const first = files[0];
  if (first !== undefined) {
    const told = hasColumns(formatOf(placeOf(first))) ? 'csv' : 'json';
    return { source: first.format ?? told, sourceFile: files.map(placeOf).join(', ') };
  }
  const old = [...new Set(inputs.flatMap((source) => source.path ?? []))];
  if (old.length > 0) return { source: 'sqlite', sourceFile: old.join(', ') };
  // Rows that a program made are nobody's export.
  const asked = inputs.some((source) => source.kind === 'query');
  return { source: asked ? 'postgres' : 'manual', sourceFile: undefined };
}

function filesOf(job: Job): string | undefined {
  const files = Object.values(job.inputs).filter(({ kind }) => kind === 'file' || kind === 'stdin');
  return files.length === 0 ? undefined : files.map(placeOf).join(', ');
}

const placeOf = ({ name, path }: Source) => path ?? name;
