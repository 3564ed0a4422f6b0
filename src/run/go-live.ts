import { releaseLive } from '../../sinks/replace/discard.js';
import type { FlowAccount } from '../core/accounting.js';
import { SluiceError } from '../core/errors.js';
import { noteBatch } from '../db/ledger/batches.js';
import type { Job } from './job.js';
import { type Prepared, prepare } from './prepare.js';
import { type PublishedChanges, publishBatch } from './publish.js';
import type { Staged } from './staging.js';
import type { Surveyed } from './survey.js';

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
      if (!(error instanceof SluiceError) || error.code !== 'catalog_changed' || survey === SURVEYS)
        throw error;
      job.options.events?.warn?.('a table was altered while staging was made ready; once more');
    }
  }
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
  await releaseLive(await job.options.database.session(), job.tables, job.names);
}

function ready(
  job: Job,
  surveyed: Surveyed,
  staged: Staged,
  accounts: readonly FlowAccount[],
): Promise<Prepared> {
  return job.phase('prepare', 'building indexes and keys', () => prepare(job, surveyed, staged, accounts));
}
