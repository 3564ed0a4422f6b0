import type { Client } from 'pg';

/** A node of a plan, as EXPLAIN tells it; what is needed of it. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Parent Relationship'?: string;
  readonly Schema?: string;
  readonly 'Relation Name'?: string;
  readonly 'TID Cond'?: string;
  readonly 'Total Cost': number;
  readonly 'Plan Rows': number;
  readonly 'Plan Width': number;
  readonly Plans?: readonly PlanNode[];
}

/** How the server would run `sql`. Throws as the server does. */
export async function planOfQuery(client: Client, sql: string): Promise<PlanNode> {
  // The driver makes JSON of the plan's text.
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
    `EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`,
  );
  return (rows[0] as (typeof rows)[number])['QUERY PLAN'][0]?.Plan as PlanNode;
}

/** Nodes that hand rows on, each once and by itself. */
const PASSING: ReadonlySet<string> = new Set(['Subquery Scan', 'Result', 'Append']);

/**
 * The scans that a plan's rows come from, if each row comes from one row of one of them, and from nothing else; else the
 * node that makes something else of them. Subqueries of single values do not matter.
 */
export function scansOf(plan: PlanNode): readonly PlanNode[] | string {
  const kind = plan['Node Type'];
  const inputs = (plan.Plans ?? []).filter(
    ({ 'Parent Relationship': as }) => as !== 'SubPlan' && as !== 'InitPlan',
  );
  if (/ Scan$/.test(kind) && inputs.length === 0) return [plan];
  if (!PASSING.has(kind) || inputs.length === 0) return kind;
  const scans: PlanNode[] = [];
  for (const input of inputs) {
    const found = scansOf(input);
    if (typeof found === 'string') return found;
    scans.push(...found);
  }
  return scans;
}

/** Whether any node of the plan is of one of `kinds`. */
export function hasNode(plan: PlanNode, kinds: ReadonlySet<string>): string | undefined {
  if (kinds.has(plan['Node Type'])) return plan['Node Type'];
  for (const each of plan.Plans ?? []) {
    const found = hasNode(each, kinds);
    if (found !== undefined) return found;
  }
  return undefined;
}
