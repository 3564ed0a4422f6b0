import type { Finding } from '../../core/pipeline.js';
import type { Plan } from '../../run/given/plan.js';
import { nextLines } from './next.js';
import { table } from './table.js';
import { bytes, count, recordsOnly, say, shortDetail, styled } from './terminal.js';

/** Shows a plan, on stderr. */
export function showPlan(plan: Plan): void {
  const records = recordsOnly();
  if (records !== undefined) {
    for (const warning of plan.warnings) records.say('warn', warning);
    return;
  }
  say(`${styled('bold', plan.pipeline)}: ${plan.summary}`);
  say();
  const settings = Object.entries(plan.settings).map(([name, value]) => `${name}=${value}`);
  say(
    ...table(
      ['', ''],
      [
        ['database', plan.database],
        ...plan.inputs.flatMap(({ name, from, read }) => [
          [`input ${name}`, from],
          ...(read === undefined ? [] : [['', `read ${read}`]]),
        ]),
        ...plan.files.map((file) => ['into', file]),
        ...(settings.length === 0 ? [] : [['settings', settings.join('; ')]]),
      ],
      { indent: '  ' },
    ),
  );
  say();
  showTables(plan);
  for (const { schema, name, made } of plan.views)
    say(`  view ${schema}.${name}: ${made ? 'made with the publish' : 'there already, left as it is'}`);
  if (plan.carried.length > 0) {
    say();
    say(`  carried over at the swap: ${summed(plan.carried)}`);
  }
  if (plan.oldNames.length > 0) {
    say();
    say(`  views under the old names: ${plan.oldNames.map(({ name }) => name).join(', ')}`);
    if (plan.oldNames.some(({ replaces }) => replaces))
      say('  the tables of these names are kept aside, for the way back');
  }
  if (plan.validations.length > 0) {
    say();
    say('  asked of staging before anything is published:');
    for (const { summary } of plan.validations) say(`    ${styled('dim', '·')} ${summary}`);
  }
  if (plan.warnings.length > 0) say();
  for (const warning of plan.warnings) say(`  ${styled('yellow', 'warning:')} ${warning}`);
  say();
}

function showTables(plan: Plan): void {
  if (plan.tables.length === 0) return;
  say(
    ...table(
      ['table', 'how', 'rows now', 'size now'],
      plan.tables.map((each) => [
        `${each.schema}.${each.table}`,
        each.mode,
        each.missing
          ? 'missing: it is made'
          : each.liveRows < 0
            ? 'not analysed'
            : `about ${count(each.liveRows)}`,
        bytes(each.liveBytes),
      ]),
      { right: [2, 3], indent: '  ' },
    ),
  );
}

/** `2 views, 4 foreign keys, 7 indexes, …`; columns go without saying. */
export function summed(carried: Plan['carried']): string {
  const kinds = new Map<string, number>();
  for (const { kind } of carried) if (kind !== 'column') kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [...kinds].map(([kind, n]) => `${n} ${n === 1 || /s$/.test(kind) ? kind : plural(kind)}`).join(', ');
}

function plural(kind: string): string {
  if (kind.endsWith('x')) return `${kind}es`;
  return kind.endsWith('y') && !kind.endsWith('key') ? `${kind.slice(0, -1)}ies` : `${kind}s`;
}

const MARKS: Readonly<Record<Finding['severity'], () => string>> = {
  error: () => styled('red', '✗'),
  warning: () => styled('yellow', '!'),
  note: () => styled('dim', '·'),
};

/** Shows what checks or validations found, on stderr; with the name of each question, where that is not said already. */
export function showFindings(findings: readonly (Finding & { readonly name?: string })[]): void {
  for (const { name, severity, message, details = [], next } of findings) {
    say(`  ${MARKS[severity]()} ${name === undefined ? '' : `${name}: `}${message}`);
    for (const detail of details) say(`      ${shortDetail(detail)}`);
    for (const step of nextLines(next)) say(`      ${styled('dim', 'next:')} ${step}`);
  }
}
