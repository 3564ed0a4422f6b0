import { tryReplace } from '../../../sinks/publish/replace/tried.js';
import type { Finding } from '../../core/pipeline.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { refusalFindings } from '../changes/replace/findings.js';
import type { Replace } from '../changes/replace/replace.js';
import { withSync } from '../changes/replace/sync-instead.js';
import type { Job } from '../job/job.js';

/**
 * What only doing it shows: the swap of the tables that are replaced, tried with empty ones and rolled back. Nothing is
 * tried where the survey refuses already. What could not be tried is a note, unless a run will do it (`runs`).
 */
export async function swapFindings(job: Job, { surveyed }: Replace, runs: boolean): Promise<Finding[]> {
  const { database } = job.options;
  if (surveyed === undefined || surveyed.refusals.length > 0) return [];
  const client = await database.connect('trial of the swap', PINNED_BESIDE_CODE);
  try {
    const { refusals, untried } = await tryReplace(client, surveyed);
    return [
      ...refusalFindings(await withSync(client, refusals, job.tables)),
      ...(untried === undefined || runs
        ? []
        : [{ severity: 'note', message: `not tried: ${untried}` } as const]),
    ];
  } finally {
    await client.end().catch(() => {});
  }
}
