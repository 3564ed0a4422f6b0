import { breaches, totals } from '../../core/accounting.js';
import type { Change } from '../../core/command.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { again, type NextStep } from '../../core/next.js';
import { mergeInstead } from '../given/merge-instead.js';
import { describeLimit } from '../given/reject-limit.js';
import type { Job } from '../job/job.js';
import { notResubmitted, resubmitAdvice } from '../resubmit/advice.js';

/**
 * Refuses where rows are unaccounted for, or more were rejected than may be. A dry run and a rehearsal
 * ask the same, so that they answer as the run would.
 */
export function assertAccounted(job: Job): void {
  const { accounts } = job.state;
  const broken = job.options.limit === undefined ? breaches(accounts) : [];
  if (broken.length > 0)
    throw loadErrors.unaccounted_rows.stages({ first: broken[0] as string }, { details: broken.slice(1) });
  const { read, rejectReasons } = totals(accounts);
  const limit = job.options.maxRejects ?? { rows: 0 };
  if (job.rejects.within(limit, read)) return;
  const reasons = Object.entries(rejectReasons)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, rows]) => `${reason}: ${rows}`);
  throw loadErrors.too_many_rejects(
    {
      batch: job.batch,
      rejected: job.rejects.count,
      read,
      allowed: describeLimit(limit),
      next: [
        ...correcting(job),
        ...(canDoWithout(job)
          ? [
              again(
                { ...sameFiles(job), flags: { maxRejects: String(job.rejects.count) } },
                { lead: 'or leave them out' },
              ),
            ]
          : []),
        ...encodingInstead(job, rejectReasons),
        ...mergeInstead(job, { reasons: rejectReasons }),
      ],
    },
    {
      details: [
        ...reasons,
        ...job.rejects.first.map(
          (reject) =>
            `${reject.input}${reject.line === null ? '' : `, line ${reject.line}`}: ${reject.message}`,
        ),
      ],
    },
  );
}

/** For a copy of files that are not all UTF-8, which may be of another encoding; an SQLite file has none. */
function encodingInstead({ options }: Job, reasons: Readonly<Record<string, number>>): NextStep[] {
  if (options.copy === undefined || options.onlyRejectsOf !== undefined || !reasons.invalid_utf8) return [];
  return [
    again(
      { flags: { encoding: 'windows-1252' } },
      { lead: 'or, if it is not UTF-8, name its encoding, such as' },
    ),
  ];
}

/** Whether a batch without the rejected rows could be published. */
function canDoWithout({ pipeline: { indispensable = [] }, labels, rejects }: Job): boolean {
  return !rejects.places.some(({ input }) => indispensable.some((each) => labels[each] === input));
}

/** The files of rejects and reports are there now, and may be corrected: another run does not write over them. */
const sameFiles = ({ options }: Job): Change => {
  const files = (['rejectsInto', 'reportsInto'] as const).filter((flag) => options[flag] !== undefined);
  return files.length === 0 ? {} : { drop: files };
};

/** How the rows are corrected of a batch that fails because of them. */
function correcting(job: Job): readonly NextStep[] {
  if (job.batch === undefined || job.options.rehearse === true)
    return [again(sameFiles(job), { lead: 'correct the rows, then' })];
  const advice = resubmitAdvice(
    {
      id: job.batch,
      pipeline: job.pipeline.name,
      pipeline_from: job.options.from ?? job.pipeline.name,
      status: 'failed',
      only_rejects_of: job.options.onlyRejectsOf ?? null,
      manifest: job.state.manifest ?? null,
      settings: job.settings,
      options: {},
    },
    job.rejects.places,
  );
  if (advice === undefined) return [again(sameFiles(job), { lead: 'correct the rows, then' })];
  return advice.not === undefined ? advice.next : [notResubmitted(advice.not), ...advice.next];
}
