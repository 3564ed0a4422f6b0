import { accountName, type Branch, type FlowPlan } from '../../core/flow.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { ResubmitFacts } from '../../db/ledger/run-manifest.js';

type Declared = Pick<
  Pipeline,
  'tables' | 'validations' | 'compatibility' | 'correctAtSource' | 'executeByDefault'
>;

/** What of a pipeline's definition decides how its corrected rejects are published. */
export function declaredFacts(pipeline: Declared): ResubmitFacts {
  const tables = Object.values(pipeline.tables);
  const whole = wholeTable(pipeline);
  return {
    ...(whole === undefined ? {} : { whole }),
    adds: tables.filter(({ mode }) => mode === 'append' || mode === 'replace').map(({ table }) => table),
    ...(pipeline.correctAtSource === undefined ? {} : { atSource: pipeline.correctAtSource }),
    ...(pipeline.executeByDefault === false ? { execute: true as const } : {}),
  };
}

/** The same with what its flows say; `labelOf`: what rejects call the input of a flow. */
export function resubmitFacts(
  pipeline: Declared,
  flows: readonly FlowPlan[],
  labelOf: (flow: FlowPlan) => string,
): ResubmitFacts {
  const inputs: Record<string, { together?: string; beforeFork?: readonly string[] }> = {};
  for (const flow of flows) {
    const name = labelOf(flow);
    const { root } = flow;
    const [together] = togetherIn(root);
    const forks = (root.fork?.length ?? 0) > 1 && addsIn(root);
    if (together === undefined && !forks) continue;
    const behind = (root.fork ?? []).flatMap(namesIn);
    const before = [accountName.source({ ...flow.source, name }), ...root.stages.map(accountName.stage)];
    inputs[name] = {
      ...(together === undefined ? {} : { together }),
      ...(forks ? { beforeFork: before.filter((stage) => !behind.includes(stage)) } : {}),
    };
  }
  return { ...declaredFacts(pipeline), ...(Object.keys(inputs).length === 0 ? {} : { inputs }) };
}

function wholeTable({ tables, validations = [], compatibility }: Declared): string | undefined {
  for (const { table, mode, columns } of Object.values(tables)) {
    if (mode === 'sync') return `rows of ${table} that are not in the input are deleted`;
    if (mode !== 'replace') continue;
    if (columns === undefined) return `${table} is replaced as a whole, with the columns that its rows have`;
    // Rows that are added are a part of the table, and the questions are about the whole.
    if (validations.length > 0) return `${table} is replaced, and validated, as a whole`;
    if (compatibility !== undefined) return `${table} is replaced together with views under old names`;
  }
  return undefined;
}

function togetherIn({ stages, fork = [] }: Branch): string[] {
  return [
    ...stages.filter((stage) => stage.together === true).map(accountName.stage),
    ...fork.flatMap(togetherIn),
  ];
}

function namesIn({ stages, into, fork = [] }: Branch): string[] {
  return [
    ...stages.map(accountName.stage),
    ...(into === undefined ? [] : [accountName.end(into)]),
    ...fork.flatMap(namesIn),
  ];
}

const addsIn = ({ into, fork = [] }: Branch): boolean =>
  (into !== undefined && 'kind' in into && (into.mode === 'append' || into.mode === 'replace')) ||
  fork.some(addsIn);
