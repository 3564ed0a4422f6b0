import { command } from '../../core/next.js';
import type { StoredReject } from '../../core/stored-reject.js';
import { nextLines } from './next.js';
import { count, styled } from './terminal.js';

/** The first rejects as lines for the terminal, and how to see the rest. */
export function rejectLines(rejects: readonly StoredReject[], total: number, batch: string | null): string[] {
  if (rejects.length === 0) return [];
  const lines = ['', styled('bold', `rejected rows (${count(total)})`)];
  for (const reject of rejects) lines.push(`  ${describeReject(reject)}`);
  if (total > rejects.length)
    lines.push(
      `  … and ${count(total - rejects.length)} more${batch === null ? '' : `: ${nextLines(command('rejects', [batch]))[0]}`}`,
    );
  return lines;
}

/** `serials.csv, line 12: lot_number: …` */
export function describeReject(reject: StoredReject): string {
  const line = reject.line === null ? '' : `, line ${reject.line}`;
  const before = reject.resubmits;
  const was =
    before === undefined || before === null ? '' : `; reject ${before.number} of batch ${before.batch}`;
  return `${reject.input}${line}: ${reject.message} ${styled('dim', `(${reject.reason}${was})`)}`;
}
