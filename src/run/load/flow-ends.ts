import { type Branch, branchOf, type FlowPlan } from '../../core/flow.js';
import type { Target } from '../../core/target.js';
import type { Sink } from '../../core/types.js';
import type { LoadEnd } from '../../db/ledger/segments.js';

/** An end of a flow that is a table, and the way to it. */
export interface TableEnd extends LoadEnd {
  readonly target: Target;
}

/** How an end of a flow is called among those of all flows. */
export const endKey = ({ flow, branch }: LoadEnd): string => `${flow}/${branch}`;

/** The tables that the flows end in, in the order of the pipeline: as often as a way leads to one. */
export function tableEnds(flows: readonly FlowPlan[]): TableEnd[] {
  return flows.flatMap(({ root }, flow) => ends(root, '').map((each) => ({ flow, ...each })));
}

function ends(branch: Branch, at: string): Omit<TableEnd, 'flow'>[] {
  if (branch.into !== undefined) return isTarget(branch.into) ? [{ branch: at, target: branch.into }] : [];
  return (branch.fork ?? []).flatMap((each, i) => ends(each, branchOf(at, i)));
}

const isTarget = (end: Target | Sink): end is Target => 'kind' in end;
