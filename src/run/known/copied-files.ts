import { createHash } from 'node:crypto';
import { totals } from '../../core/accounting.js';
import type { Source } from '../../core/types.js';
import { textTable } from '../../db/catalog/text-table.js';
import type { MadeOf } from '../../db/ledger/published.js';
import { handedRows } from '../changes/handed.js';
import { ContentReading, type FileContent } from '../inputs/file-content.js';
import type { Job } from '../job/job.js';
import { codeOf } from '../load/code-hash.js';

/**
 * The files of a copy that replaces its table, by input, where their bytes and what was typed decide its rows and nothing
 * else does: no pipeline's code, no other file, no default of a column, no part of the rows. Undefined for any other run.
 */
export function decidingFiles(job: Job): ReadonlyMap<string, Source> | undefined {
  const { options, state, tables, resubmitted } = job;
  const { copy, dryRun, rehearse, publish, limit, resume, rejectsInto, reportsInto } = options;
  const whole =
    dryRun !== true &&
    rehearse !== true &&
    publish !== false &&
    limit === undefined &&
    resume === undefined &&
    resubmitted === undefined &&
    rejectsInto === undefined &&
    reportsInto === undefined &&
    job.kept === 'none';
  const [table, ...others] = tables;
  const replaced = others.length === 0 && table?.target.mode === 'replace' && table.missing !== true;
  // A schema is another file, and may be changed by itself.
  if (!whole || !replaced || copy === undefined || copy.schema !== undefined) return undefined;
  const files = new Map<string, Source>();
  for (const [input, { kind, print }] of Object.entries(state.manifest?.inputs ?? {})) {
    const source = job.inputs[input];
    if (kind !== 'file' || source === undefined || print === undefined) return undefined;
    files.set(input, source);
  }
  return files.size === 0 ? undefined : files;
}

/** Begins to read what the files hold beside the load of the job, where they decide its rows. */
export function readBeside(job: Job, signal: AbortSignal): readonly ContentReading[] {
  return [...(decidingFiles(job) ?? [])].map(
    ([input, source]) => new ContentReading(source, { signal, share: job.share }, () => bytesOf(job, input)),
  );
}

function bytesOf(job: Job, input: string): number {
  const at = job.progress.inputs.find((each) => each.input === input && each.unit === 'bytes');
  return at?.done ?? 0;
}

/**
 * What the rows that are staged in the table `oid` were made of; undefined where it is not known, or not all of what was
 * read is there.
 */
export async function madeOfFiles(
  job: Job,
  oid: number,
  readings: readonly ContentReading[],
): Promise<MadeOf | undefined> {
  if (readings.length === 0 || !isAllThere(job)) return undefined;
  return madeOf(job, oid, await Promise.all(readings.map((reading) => reading.content())));
}

/** Whether every row that was read is staged in the one table, as far as is known now: a publish may yet reject some. */
export function isAllThere(job: Pick<Job, 'state' | 'tables'>): boolean {
  const { read, rejected, skipped } = totals(job.state.accounts);
  const [staged, ...others] = [...handedRows(job).values()];
  return rejected + skipped === 0 && staged === read && others.length === 0;
}

/** What the rows of the table `oid` would be made of, all of its columns, out of files that hold `contents`. */
export async function madeOf(
  job: Job,
  oid: number,
  contents: readonly (FileContent | undefined)[],
): Promise<MadeOf | undefined> {
  const known = contents.filter((each) => each !== undefined);
  if (known.length < contents.length) return undefined;
  const table = await textTable(job.options.database, oid);
  const filled = new Set(job.tables[0]?.target.columns);
  if (table === undefined || !table.names.every((name) => filled.has(name))) return undefined;
  const decides = [
    known.map(({ hash }) => hash),
    job.options.copy,
    job.settings,
    codeOf(job),
    job.tables.map(({ target }) => target),
    table.rules,
  ];
  return {
    sizes: known.map(({ size }) => size),
    hash: createHash('sha256').update(JSON.stringify(decides, sorted)).digest('hex'),
  };
}

/** For JSON.stringify: objects with their keys in order. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
