import { pipelineErrors } from '../core/errors/catalogue/pipelines.js';
import type { FlowPlan } from '../core/flow.js';
import { formatList } from '../core/list.js';
import { type NewTable, type Pipeline, pipeline } from '../core/pipeline.js';
import { findsByKey, isPublishMode, type PublishMode } from '../core/publish-mode.js';
import type { Target } from '../core/target.js';
import type { Source, Stage } from '../core/types.js';
import type { Batch } from '../db/ledger/batches.js';
import { memory } from '../sources/memory.js';
import { parseList } from './request.js';

/** One file on its way into the table. */
export interface CopyInput {
  readonly source: Source;
  readonly stages: readonly Stage[];
}

/** The table of a copy, and what the ledger keeps of it. */
export interface CopyTarget {
  /** `schema.table`. */
  readonly into: string;
  readonly mode: PublishMode;
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly omit: readonly string[];
}

/** The files as a pipeline into the table. `notes`: further settings, for showing; `made`: how a missing table is made. */
export function copyPipeline(
  inputs: readonly CopyInput[],
  into: CopyTarget,
  {
    notes = {},
    made,
  }: { readonly notes?: Readonly<Record<string, string>>; readonly made?: NewTable | undefined } = {},
): Pipeline {
  const target = targetOf(into);
  return pipeline({
    name: nameOf(into.into),
    summary: summaryOf(
      into,
      inputs.map(({ source }) => (source.name === '-' ? 'stdin' : source.name)),
    ),
    inputs: sourcesOf(inputs),
    tables: { table: target },
    settings: asSettings({ ...settingsOf(into), ...notes }),
    ...(made === undefined ? {} : { creates: () => ({ table: made }) }),
    flows: ({ inputs: given, tables }) => flowsOf(inputs, tables.table, given),
  });
}

/**
 * The pipeline of a copy that is loaded and waits to be published, from what the ledger keeps: enough for
 * `swap`, which reads no input.
 */
export function stagedCopy(batch: Pick<Batch, 'settings' | 'pipeline'>): Pipeline {
  const target = targetOfBatch(batch);
  return pipeline({
    name: batch.pipeline,
    summary: summaryOf(target, ['what is staged']),
    inputs: { file: memory('what is staged', []) },
    tables: { table: targetOf(target) },
    settings: asSettings(batch.settings),
    flows: () => [],
  });
}

/** The table of a copy, from what the ledger keeps. Throws usage `no_such_pipeline` where it keeps none. */
export function targetOfBatch(batch: Pick<Batch, 'settings' | 'pipeline'>): CopyTarget {
  const { into, mode, columns, key, omit } = batch.settings;
  if (into === undefined || columns === undefined || !isPublishMode(mode))
    throw pipelineErrors.no_such_pipeline.ofCopy({ pipeline: batch.pipeline });
  return {
    into,
    mode,
    columns: parseList('columns', columns),
    key: key === undefined ? [] : parseList('key', key),
    omit: omit === undefined ? [] : parseList('omit', omit),
  };
}

function targetOf({ into, mode, columns, key, omit }: CopyTarget): Target {
  return {
    kind: 'table',
    table: into,
    mode,
    columns,
    ...(findsByKey(mode) ? { key } : {}),
    ...(mode === 'replace' ? { omit } : {}),
  };
}

function settingsOf({ into, mode, columns, key, omit }: CopyTarget): Record<string, string> {
  return {
    into,
    mode,
    ...(key.length === 0 ? {} : { key: formatList(key) }),
    columns: formatList(columns),
    ...(omit.length === 0 ? {} : { omit: formatList(omit) }),
  };
}

const asSettings = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { summary: name, default: value }]),
  );

function sourcesOf(inputs: readonly CopyInput[]): Record<string, Source> {
  return Object.fromEntries(
    inputs.map(({ source }, at) => [inputNames(inputs.length)[at] as string, source]),
  );
}

/** What a copy calls its inputs: `file`, or `file-1`, `file-2`, … */
export const inputNames = (files: number): readonly string[] =>
  files === 1 ? ['file'] : Array.from({ length: files }, (_, at) => `file-${at + 1}`);

const flowsOf = (
  inputs: readonly CopyInput[],
  into: Target,
  given: Readonly<Record<string, Source>>,
): FlowPlan[] =>
  inputs.map(({ source, stages }, at) => ({
    source: given[inputNames(inputs.length)[at] as string] ?? source,
    root: { stages, into },
  }));

/** `copy-public-orders`: what a pipeline may be called, of the table's name. */
export function nameOf(into: string): string {
  const slug = into
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return slug === '' ? 'copy' : `copy-${slug}`;
}

function summaryOf({ into, mode, key }: CopyTarget, files: readonly string[]): string {
  const what = files.length <= 3 ? files.join(', ') : `${files.length} files`;
  switch (mode) {
    case 'append':
      return `add the rows of ${what} to those of ${into}`;
    case 'replace':
      return `put the rows of ${what} in place of all rows of ${into}`;
    case 'merge':
      return `insert the rows of ${what} into ${into}, or update those of the same ${key.join(', ')}`;
    case 'sync':
      return `make ${into} the rows of ${what}: by ${key.join(', ')}, insert new ones, update those that differ, delete those that it lacks`;
    case 'patch':
      return `update the rows of ${into} that have the ${key.join(', ')} of a row of ${what}`;
  }
}
