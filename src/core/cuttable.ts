import type { Branch, FlowPlan } from './flow.js';
import type { Stage } from './types.js';

/** Sets of columns: rows with equal values of one of the sets are in one part. */
type Whole = readonly (readonly string[])[];

/** Whether a flow can be followed part by part where its source can be cut. */
export const mayBeCut = (plan: FlowPlan): boolean =>
  plan.source.cut !== undefined && keepsAcrossParts(plan) === undefined;

/** Whether a flow is one line of stages that keep nothing: what has become of a row then does not wait for others. */
export const isPlainLine = ({ root }: FlowPlan): boolean =>
  root.into !== undefined && root.stages.every(({ stateless }) => stateless);

/**
 * The first stage that may remember rows of one part when it is given those of another, and so keeps a flow in one piece.
 * Left out are those that keep nothing (`stateless`), and those that keep something of rows of one group (`within`), where
 * such a group is in one part: as the source says, or a stage before.
 */
export function keepsAcrossParts({ source, root }: FlowPlan): Stage | undefined {
  return keeps(root, source.groups ?? []);
}

function keeps({ stages, fork = [] }: Branch, groups: Whole): Stage | undefined {
  let whole = groups;
  for (const stage of stages) {
    if (!isWhole(stage, whole)) return stage;
    whole = after(stage, whole);
  }
  for (const branch of fork) {
    const found = keeps(branch, whole);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isWhole({ stateless, within }: Stage, whole: Whole): boolean {
  if (stateless === true) return true;
  return within !== undefined && whole.some((set) => set.every((column) => within.by.includes(column)));
}

/** What is known of the rows that a stage gives: nothing, unless it says that they have the columns of those before. */
function after({ within }: Stage, whole: Whole): Whole {
  if (within?.keeps !== true) return [];
  const { gives = [], sets = [] } = within;
  const changed = [...gives, ...sets];
  return [
    ...whole.filter((set) => !set.some((column) => changed.includes(column))),
    ...gives.map((column) => [column]),
  ];
}
