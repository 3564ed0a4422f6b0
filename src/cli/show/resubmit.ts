import type { PgDatabase } from '../../db/connect.js';
import type { Batch } from '../../db/ledger/batches.js';

/** Says how the rejects of a batch are resubmitted, or why they cannot be; nothing where there is nothing to say. */
export async function sayResubmit(database: PgDatabase, batch: Batch): Promise<void> {
  const { sayNext } = await import('./next.js');
  const { text, next } = (await resubmit(database, batch)) ?? {};
  if (text !== undefined && next !== undefined) sayNext(text, next);
}

/** Says how rejects that are in files in `folder` now are resubmitted, or why they cannot be. */
export async function sayResubmittedFrom(database: PgDatabase, batch: Batch, folder: string): Promise<void> {
  const { rejectPlaces } = await import('../../db/ledger/rejects.js');
  const { resubmitAdvice, notResubmitted } = await import('../../run/resubmit/advice.js');
  const { sayNext } = await import('./next.js');
  const advice = resubmitAdvice(batch, await rejectPlaces(database, batch.id), folder);
  if (advice === undefined) return;
  sayNext(advice.not === undefined ? 'correct them, then:' : notResubmitted(advice.not), advice.next);
}

/** What `sayResubmit` says, as a sentence and steps; undefined where there is nothing to say. */
export async function resubmit(database: PgDatabase, batch: Batch) {
  const { rejectPlaces } = await import('../../db/ledger/rejects.js');
  const { resubmitAdvice, notResubmitted } = await import('../../run/resubmit/advice.js');
  const advice = resubmitAdvice(batch, await rejectPlaces(database, batch.id));
  if (advice === undefined) return undefined;
  return {
    text:
      advice.not === undefined
        ? 'rejected rows can be corrected and resubmitted'
        : notResubmitted(advice.not),
    next: advice.next,
  };
}

/** Which later batches were given corrected rejects of this one, as lines. */
export async function resubmittedLines(database: PgDatabase, id: string): Promise<string[]> {
  const { resubmissions } = await import('../../db/ledger/reject-fates.js');
  const { counted } = await import('./terminal.js');
  return (await resubmissions(database, id)).map(
    ({ id: by, rejects }) => `${counted(rejects, 'reject')} resubmitted in batch ${by}`,
  );
}
