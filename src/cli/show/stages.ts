import { type FlowAccount, type Reasons, sum } from '../../core/accounting.js';
import { table } from './table.js';
import { count } from './terminal.js';

/**
 * The accounts as a table, a line for each stage: rows in and out, and what became of the others. Columns in
 * which nothing stands are left out.
 */
export function stagesTable(accounts: readonly FlowAccount[], indent = '  '): string[] {
  const several = accounts.length > 1;
  const lines = accounts.flatMap(({ source, stages }) =>
    stages.map(({ stage, branch, in: taken, out, rejected, skipped, merged, added, kept, left = {} }) => [
      `${several && !stage.startsWith('read ') ? `${source}: ` : ''}${branch === '' ? '' : `${branch} `}${stage}`,
      count(taken),
      reasons(added),
      reasons(rejected),
      reasons(skipped),
      reasons(merged),
      reasons(kept),
      reasons(left),
      count(out),
    ]),
  );
  const head = ['stage', 'in', 'added', 'rejected', 'skipped', 'merged', 'unchanged', 'left as is', 'out'];
  const shown = head.map((_, at) => at).filter((at) => lines.some((line) => (line[at] ?? '') !== ''));
  const right = shown.flatMap((at, to) => (at === 0 ? [] : [to]));
  return table(
    shown.map((at) => head[at] as string),
    lines.map((line) => shown.map((at) => line[at] as string)),
    { right, indent },
  );
}

/** Reasons that a cell has room for. */
const FEW = 2;

/** `12`, and what they are where that is short: all reasons of a run stand above the table. */
function reasons(by: Reasons): string {
  const names = Object.keys(by);
  if (names.length === 0) return '';
  const total = count(sum(by));
  if (names.length > FEW) return `${total} (${count(names.length)} reasons)`;
  const said = names.map((name) => name.replaceAll('_', ' '));
  return names.length === 1
    ? `${total} ${said[0]}`
    : `${total} (${names.map((name, at) => `${said[at]} ${count(by[name] as number)}`).join(', ')})`;
}
