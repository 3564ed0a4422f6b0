import { noteBatch } from '../../db/ledger/batches.js';
import type { Job } from '../job/job.js';

/** How often the ledger is told how far a load is. */
const EVERY_MS = 1_000;

/**
 * Tells the ledger every second how far the load of a job is, by the control session, until the function that it
 * gives is called; that one waits for the last word. A word that cannot be told is left out: the next one says more.
 */
export function tellProgress(
  job: Pick<Job, 'options' | 'batch' | 'progress'>,
  everyMs = EVERY_MS,
): () => Promise<void> {
  const { database } = job.options;
  const batch = job.batch as string;
  let telling: Promise<void> | undefined;
  const timer = setInterval(() => {
    telling ??= noteBatch(database, batch, {
      ...job.progress.live,
      progress: job.progress.inputs,
    })
      .catch(() => {})
      .finally(() => {
        telling = undefined;
      });
  }, everyMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await telling;
  };
}
