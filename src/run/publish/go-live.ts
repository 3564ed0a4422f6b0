import { noteBatch } from '../../db/ledger/batches.js';
import type { JobChanges } from '../changes/job-changes.js';
import { isAltered } from '../changes/replace/altered.js';
import { prepareAll, releaseAll } from '../changes/sequence.js';
import type { Job } from '../job/job.js';
import { type PublishedChanges, publishBatch, publishLedger } from './window.js';

/** How often staging is brought up to a live table that is altered again and again. */
const SURVEYS = 3;

/**
 * Makes staging ready and publishes it at once: from the moment it is ready, keys of other tables point to
 * both live and staging, so neither may wait for the other. Where live was altered in between, both are done
 * again.
 */
export async function goLive(
  job: Job,
  changes: JobChanges,
  onPrepared: () => Promise<void> = async () => {},
): Promise<PublishedChanges> {
  const publishing = job.options.rehearse === true ? 'publishing, to be rolled back' : 'publishing';
  for (let survey = 1; ; survey++) {
    await prepare(job, changes);
    if (survey === 1) await onPrepared();
    await noteBatch(job.options.database, job.batch as string, { phase: 'publish' });
    try {
      const ledger = publishLedger(job, changes);
      return await job.phase('publish', publishing, () => publishBatch(job, changes, ledger));
    } catch (error) {
      if (!isAltered(error) || survey === SURVEYS) throw error;
      const what = (error.facts.details ?? []).slice(0, 3).join('; ');
      job.options.events?.warn?.(
        `a table was altered while staging was made ready${what === '' ? '' : ` (${what})`}; once more`,
      );
    }
  }
}

/** Makes staging ready, to be published later: live is left as if there were no staging. */
export async function holdReady(job: Job, changes: JobChanges): Promise<void> {
  await prepare(job, changes);
  await releaseAll(changes.all);
}

function prepare(job: Job, changes: JobChanges): Promise<void> {
  return job.phase('prepare', 'building indexes and keys', () => prepareAll(changes.all));
}
