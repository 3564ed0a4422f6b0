import { type FlowAccount, totals } from '../core/accounting.js';
import type { Target } from '../core/target.js';
import { formatOf } from '../sources/file.js';
import type { Job } from './job.js';
import { mappedSystem } from './mappings.js';
import type { Summary } from './options.js';

/** The summary of a run that ended as `status`. */
export function summaryOf(
  job: Job,
  status: Summary['status'],
  accounts: readonly FlowAccount[],
  results: { readonly loaded: ReadonlyMap<Target, number>; readonly lockMs: number | null },
): Summary {
  const { read, rejected, skipped, rejectReasons, skipReasons } = totals(accounts);
  const seconds = (performance.now() - job.startedAt) / 1000;
  const name = (target: Target) => target.table;
  return {
    batch: job.batch ?? null,
    pipeline: job.pipeline.name,
    status,
    read,
    loaded: Object.fromEntries([...results.loaded].map(([target, rows]) => [name(target), rows])),
    rejected,
    skipped,
    published:
      status === 'completed'
        ? Object.fromEntries(job.tables.map(({ target }) => [name(target), target.mode]))
        : {},
    seconds: rounded(seconds),
    rows_per_second: Math.round(read / Math.max(seconds, 0.001)),
    lock_ms: results.lockMs === null ? null : rounded(results.lockMs),
    reject_reasons: rejectReasons,
    skip_reasons: skipReasons,
    figures: job.pipeline.figures?.(accounts) ?? {},
    timings: Object.fromEntries(Object.entries(job.timings).map(([phase, spent]) => [phase, rounded(spent)])),
    stages: accounts,
    records: job.records.types,
    frequent_errors: job.records.errors,
    reports: job.reports,
    files: job.files,
  };
}

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
  const files = inputs.filter((source) => source.kind === 'file' || source.kind === 'stdin');
  const first = files[0];
  if (first !== undefined) {
    const told = /^(jsonl?)$/.test(formatOf(first.name) ?? '') ? 'json' : 'csv';
    return { source: first.format ?? told, sourceFile: files.map((source) => source.name).join(', ') };
  }
  const old = [...new Set(inputs.flatMap((source) => source.path ?? []))];
  if (old.length > 0) return { source: 'sqlite', sourceFile: old.join(', ') };
  // Rows that a program made are nobody's export.
  const asked = inputs.some((source) => source.kind === 'query');
  return { source: asked ? 'postgres' : 'manual', sourceFile: undefined };
}

function filesOf(job: Job): string | undefined {
  const files = Object.values(job.inputs).filter(({ kind }) => kind === 'file' || kind === 'stdin');
  return files.length === 0 ? undefined : files.map(({ name }) => name).join(', ');
}
