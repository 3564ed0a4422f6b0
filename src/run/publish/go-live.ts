import type { FlowAccount } from '../../core/accounting.js';
import { isError } from '../../core/errors/is-error.js';
import { noteBatch } from '../../db/ledger/batches.js';
import { letGoOwn } from '../changes/discard.js';
import type { Staged } from '../changes/staging.js';
import type { Surveyed } from '../changes/survey.js';
import type { Job } from '../job/job.js';
import { isAltered, tellAltered, tellUnlike } from './altered.js';
import { type Prepared, prepare } from './prepare.js';
import { type PublishedChanges, publishBatch } from './publish.js';
import { assertSameShape } from './survey-again.js';

/** How often staging is brought up to a live table that is altered again and again. */
const SURVEYS = 3;

/**
 * Makes staging ready and publishes it at once: from the moment it is ready, keys of other tables point to
 * both live and staging, so neither may wait for the other. Where live was altered in between, both are done
 * again.
 */
export async function goLive(
  job: Job,
  surveyed: Surveyed,
  staged: Staged,
  accounts: readonly FlowAccount[],
  onPrepared: () => Promise<void> = async () => {},
): Promise<PublishedChanges & { readonly prepared: Prepared }> {
  const publishing = job.options.rehearse === true ? 'publishing, to be rolled back' : 'publishing';
  for (let survey = 1; ; survey++) {
    const prepared = await ready(job, surveyed, staged, accounts);
    if (survey === 1) await onPrepared();
    await noteBatch(job.options.database, job.batch as string, { phase: 'publish' });
    try {
      const published = await job.phase('publish', publishing, () => publishBatch(job, prepared));
      return { prepared, ...published };
    } catch (error) {
      const told = await whatWasAltered(job, prepared, staged, error);
      if (!isAltered(told) || survey === SURVEYS) throw told;
      const what = (told.facts.details ?? []).slice(0, 3).join('; ');
      job.options.events?.warn?.(
        `a table was altered while staging was made ready${what === '' ? '' : ` (${what})`}; once more`,
      );
    }
  }
}

/** SQLSTATE class 42: the statement names something that is not there, or is of another type. */
const isMisfit = (error: unknown) =>
  isError(error, 'publish') && error.facts.sqlstate?.startsWith('42') === true;

/** `error` of the window, with what was altered under it; throws where the tables cannot be published any more. */
async function whatWasAltered(
  job: Job,
  { replace }: Prepared,
  staged: Staged,
  error: unknown,
): Promise<unknown> {
  if (isAltered(error) && replace !== undefined) {
    await assertSameShape(job, staged);
    return tellAltered(job.options.database, replace.survey, error, job.tables);
  }
  if (replace !== undefined) {
    const unlike = await tellUnlike(job.options.database, replace.survey, error);
    if (unlike !== undefined) return unlike;
  }
  if (isMisfit(error)) await assertSameShape(job, staged);
  return error;
}

/** Makes staging ready, to be published later: live is left as if there were no staging. */
export async function holdReady(
  job: Job,
  surveyed: Surveyed,
  staged: Staged,
  accounts: readonly FlowAccount[],
): Promise<Prepared> {
  const prepared = await ready(job, surveyed, staged, accounts);
  await letGo(job);
  return prepared;
}

/** Takes the keys of other tables off staging: they would reject rows whose parents only live has. */
export async function letGo(job: Job): Promise<void> {
  await letGoOwn(job.options.database, job.names);
}

function ready(
  job: Job,
  surveyed: Surveyed,
  staged: Staged,
  accounts: readonly FlowAccount[],
): Promise<Prepared> {
  return job.phase('prepare', 'building indexes and keys', () => prepare(job, surveyed, staged, accounts));
}
