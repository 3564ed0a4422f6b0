import { blockerLine } from '../../db/locks/blockers.js';
import { listKept } from '../../run/given/cleanup-command.js';
import type { DiskPlan, PublishPlan } from '../../run/given/publish-plan.js';
import { nextLines } from './next.js';
import { summed } from './plan.js';
import { bytes, recordsOnly, say, styled } from './terminal.js';

/** Shows the publish in short, on stderr: guard, locks and who holds them, what is carried and refused. */
export function showPublish(plan: PublishPlan): void {
  if (recordsOnly() !== undefined) return;
  for (const line of publishLines(plan, false)) say(line);
  say();
}

/** The publish as lines of text; `full` adds every object that is carried, disk, kept copies, statements. */
export function publishLines(plan: PublishPlan, full: boolean): string[] {
  const lines: string[] = [];
  const head = (text: string) => lines.push(...(lines.length === 0 ? [] : ['']), styled('bold', text));
  const { how, tables } = plan.guard;
  head('the publish');
  lines.push(
    `  writes during the load: ${GUARDS[how]}${tables.length === 0 ? '' : `: ${tables.join(', ')}`}`,
  );
  head('locks, in the order in which they are taken');
  for (const statement of plan.first) lines.push(`  ${statement}`);
  for (const { schema, table, mode, holders } of plan.locks) {
    lines.push(`  ${schema}.${table}  ${mode}`);
    for (const holder of holders) lines.push(`    held now by ${blockerLine(holder)}`);
  }
  if (plan.locks.length === 0 && plan.first.length === 0) lines.push('  none');
  head('carried over');
  if (!full || plan.carried.length === 0) lines.push(`  ${summed(plan.carried) || 'nothing'}`);
  else for (const { kind, name, how } of plan.carried) lines.push(`  ${kind}  ${name}: ${how}`);
  if (plan.refused.length > 0) {
    head('refused');
    for (const { table, object, reason, next } of plan.refused)
      lines.push(
        `  ${styled('red', '✗')} ${table}: ${object}: ${reason}`,
        ...nextLines(next, process.stdout).map((line) => `    ${line}`),
      );
  }
  if (!full) return lines;
  head('disk');
  lines.push(...diskLines(plan.disk));
  head('kept from earlier batches');
  for (const { batch, kept, bytes: size } of plan.kept)
    lines.push(`  batch ${batch}: ${kept}, ${bytes(size)}`);
  if (plan.kept.length === 0) lines.push('  nothing');
  else lines.push(`  to see all of it: ${nextLines(listKept(), process.stdout)[0]}`);
  if (plan.statements !== '') {
    head('the transaction  (<batch> and 0 stand for what only the batch will know)');
    lines.push(...plan.statements.trimEnd().split('\n'));
  }
  return lines;
}

function diskLines({ tables, needed, free, where }: DiskPlan): string[] {
  const size = (n: number | null) => (n === null ? 'unknown' : bytes(n));
  return [
    ...tables.map(
      ({ table, staging, indexes }) => `  ${table}: staging ${size(staging)}, indexes ${size(indexes)}`,
    ),
    `  needed: ${needed === null ? 'unknown' : `about ${bytes(needed)}`}; free: ${free === null ? `unknown: ${where}` : `${bytes(free)} (${where})`}`,
    ...(needed !== null && free !== null && needed > free ? ['  ! there is not enough room'] : []),
  ];
}

const GUARDS = {
  journal: 'a journal stops the publish where others write to',
  lock: 'writers wait, from the start of the load to the end of the publish, for',
  off: 'not guarded against',
} as const;
