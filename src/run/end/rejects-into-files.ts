import { plural } from '../../core/plural.js';
import type { Source } from '../../core/types.js';
import { rejectPages } from '../../db/ledger/rejects.js';
import type { Job } from '../job/job.js';
import { type RejectedInput, type WrittenRejects, writeRejectFiles } from '../resubmit/reject-files.js';

/**
 * Writes the rejects of a run into files, where that is wanted, and says what is in them. Does not throw: an error of
 * theirs must not hide the run's.
 */
export async function writeRejects(job: Job): Promise<void> {
  const { events } = job.options;
  const more = job.batch === undefined ? '; corrected, it can be given as an input' : '';
  try {
    for (const { input, path, rows } of await written(job))
      events?.note?.(`${plural(rows, 'rejected row')} of ${input} in ${path}${more}`);
  } catch (error) {
    events?.warn?.(`the rejects could not be written to files: ${(error as Error).message}`);
  }
}

async function written(job: Job): Promise<readonly WrittenRejects[]> {
  const { rejectsInto: folder, database } = job.options;
  if (folder === undefined || job.rejects.count === 0) return [];
  await job.rejects.flush();
  const rejected = new Set(job.rejects.places.map(({ input }) => input));
  const known = job.read.columns();
  const inputs = Object.entries(job.labels).flatMap(([name, label]): RejectedInput[] => {
    const { format, columns = [] } = job.inputs[name] as Source;
    if (!rejected.has(label)) return [];
    return [{ name, label, columns: known[label] ?? columns, format: format === 'json' ? 'jsonl' : 'csv' }];
  });
  const pages = job.batch === undefined ? job.spool?.pages() : rejectPages(database, job.batch);
  return pages === undefined ? [] : writeRejectFiles(folder, inputs, pages, job.batch !== undefined);
}
