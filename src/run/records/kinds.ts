import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { FieldMapping } from '../../core/mapping.js';
import type { Finding, KeptRecords, Pipeline, RecordKind } from '../../core/pipeline.js';
import type { Target } from '../../core/target.js';
import type { Source } from '../../core/types.js';
import type { Masking } from '../given/masking.js';
import type { RunOptions } from '../given/options.js';
import type { Columns, LiveTable } from '../given/tables.js';

/** What of a run says which records it has. */
export interface RecordSources {
  readonly pipeline: Pipeline;
  readonly tables: readonly LiveTable[];
  readonly mappings: readonly FieldMapping[];
  readonly masking: Masking;
}

/** The inputs of a run, and what they are called. */
export interface RunInputs {
  readonly inputs: Readonly<Record<string, Source>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** The records of one input, with the table that they end in. */
export interface TrackedKind {
  /** The input's name in the pipeline. */
  readonly input: string;
  readonly type: string;
  readonly sourceId: readonly string[];
  readonly trimmed: boolean;
  readonly table: LiveTable;
  /** `schema.table` of live. */
  readonly model: string;
  /** The live column that identifies the record, a whole number; undefined where there is none. */
  readonly targetId: string | undefined;
  /** The row that is loaded has that id, and records may show it. */
  readonly idLoaded: boolean;
  /** The loaded columns by which a staged row is found in live; empty where there are none. */
  readonly key: readonly string[];
  /** The same, where records may not show them. */
  readonly hiddenKey: readonly string[];
}

const WHOLE = new Set(['int2', 'int4', 'int8']);

/**
 * Which records a run keeps. Throws a usage error where the command wants some of a pipeline that declares none.
 */
export function keptRecords(
  pipeline: Pipeline,
  { records: wanted }: Pick<RunOptions, 'records'>,
): KeptRecords {
  const declared = Object.keys(pipeline.records ?? {}).length > 0;
  if (!declared && wanted !== undefined && wanted !== 'none')
    throw pipelineErrors.no_records({ pipeline: pipeline.name });
  if (!declared) return 'none';
  return wanted ?? 'all';
}

/** The declared records with their tables, as the catalog has them. */
export function trackedKinds(job: RecordSources, columns: Columns): TrackedKind[] {
  return Object.entries(job.pipeline.records ?? {}).flatMap(([input, kind]) => {
    const name = kind.table ?? input;
    const table = job.tables.find((each) => each.name === name);
    if (table === undefined) return [];
    const facts = columns.get(table.target) ?? [];
    const id = facts.find((column) => column.name === (kind.targetId ?? 'id'));
    const { target } = table;
    const loaded = target.columns ?? facts.map((column) => column.name);
    const targetId = id !== undefined && WHOLE.has(id.base) ? id.name : undefined;
    const known = kind.key ?? target.key;
    const key = known ?? (targetId !== undefined && loaded.includes(targetId) ? [targetId] : []);
    return [
      {
        input,
        type: kind.type,
        sourceId: idColumns(kind, job.mappings),
        trimmed: kind.trimmed === true,
        table,
        model: `${table.schema}.${table.table}`,
        targetId,
        idLoaded:
          targetId !== undefined && loaded.includes(targetId as never) && !job.masking.hides(targetId),
        key,
        hiddenKey: key.some((column) => job.masking.hides(column)) ? key : [],
      },
    ];
  });
}

function idColumns({ sourceId }: RecordKind, mappings: readonly FieldMapping[]): readonly string[] {
  if (typeof sourceId === 'function') return sourceId(mappings);
  return sourceId === undefined ? [] : [sourceId].flat();
}

/** What of the declared records does not fit the tables. */
export function recordFindings(job: RecordSources, columns: Columns): Finding[] {
  const findings: Finding[] = [];
  const wrong = (message: string, next: string) => findings.push({ severity: 'error', message, next });
  for (const [input, kind] of Object.entries(job.pipeline.records ?? {})) {
    const table = job.tables.find((each) => each.name === (kind.table ?? input));
    if (table === undefined) continue;
    const facts = columns.get(table.target) ?? [];
    const name = `${table.schema}.${table.table}`;
    const loaded = table.target.columns ?? facts.map((column) => column.name);
    for (const column of kind.key ?? [])
      if (!(loaded as readonly string[]).includes(column))
        wrong(
          `the records of "${input}" are found by ${name}.${column}, which is not loaded`,
          'add it to the columns',
        );
    if (kind.targetId === undefined) continue;
    const id = facts.find((column) => column.name === kind.targetId);
    if (id === undefined || !WHOLE.has(id.base))
      wrong(
        id === undefined
          ? `the id of the records of "${input}" is ${name}.${kind.targetId}, which is no column`
          : `the id of the records of "${input}" is ${name}.${id.name}, of type ${id.type}; the ledger keeps whole numbers`,
        "name a column of whole numbers as the pipeline's targetId, or leave targetId away",
      );
  }
  return findings;
}

/** Which of the flows brings which records to their table; the place in the result is the flow's. */
export function kindsOfFlows(
  job: RunInputs,
  flows: readonly FlowPlan[],
  kinds: readonly TrackedKind[],
): (TrackedKind | undefined)[] {
  const left = new Set(kinds);
  return flows.map((flow) => {
    const ends = endsOf(flow.root) as readonly (Target | object)[];
    for (const kind of left) {
      const { source } = flow;
      if (source !== job.inputs[kind.input] && source.name !== job.labels[kind.input]) continue;
      if (!ends.includes(kind.table.target)) continue;
      left.delete(kind);
      return kind;
    }
    return undefined;
  });
}
