import { breaches, type FlowAccount, totals } from '../core/accounting.js';
import { refused } from '../core/errors.js';
import { again, command } from '../core/next.js';
import { noun, plural } from '../core/plural.js';
import type { Job } from './job.js';
import { mergeInstead } from './merge-instead.js';
import { describeLimit } from './reject-limit.js';

/**
 * Refuses where rows are unaccounted for, or more were rejected than may be. A dry run and a rehearsal
 * ask the same, so that they answer as the run would.
 */
export function assertAccounted(job: Job, accounts: readonly FlowAccount[]): void {
  const broken = job.options.limit === undefined ? breaches(accounts) : [];
  if (broken.length > 0)
    throw refused('unaccounted_rows', `rows are unaccounted for: ${broken[0]}`, {
      details: broken.slice(1),
      next: 'let the stage say what became of them: run.skip(reason), run.reject(row, why), run.merge(reason)',
    });
  const { read, rejectReasons } = totals(accounts);
  const limit = job.options.maxRejects ?? { rows: 0 };
  if (job.rejects.within(limit, read)) return;
  const reasons = Object.entries(rejectReasons)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, rows]) => `${reason}: ${rows}`);
  const allowed = describeLimit(limit);
  throw refused(
    'too_many_rejects',
    `${job.rejects.count} of ${plural(read, 'row')} ${noun(job.rejects.count, 'was', 'were')} rejected; ${allowed === '0' ? 'none' : allowed} may be (--max-rejects)`,
    {
      details: [
        ...reasons,
        ...job.rejects.first.map(
          (reject) =>
            `${reject.input}${reject.line === null ? '' : `, line ${reject.line}`}: ${reject.message}`,
        ),
      ],
      next: [
        ...(job.batch === undefined ? [] : [command('rejects', [job.batch], {}, { note: 'all of them' })]),
        again({}, { lead: 'correct the rows, then' }),
        again({ flags: { maxRejects: String(job.rejects.count) } }, { lead: 'or leave them out' }),
        ...mergeInstead(job, { reasons: rejectReasons }),
      ],
    },
  );
}
