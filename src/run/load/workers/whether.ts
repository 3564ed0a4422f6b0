import type { Cut } from '../../../core/parts.js';
import type { Job } from '../../job/job.js';
import type { InParts } from '../in-parts.js';

/** Whether a flow is loaded by workers, as the command wants; where they cannot, says why. */
export function byWorkers(job: Job, { plan }: InParts, cut: Cut): boolean {
  if (job.options.workers !== true) return false;
  const { kind, partReader } = plan.source;
  const why = hindrance(job, cut, kind === 'file' && partReader !== undefined);
  if (why === undefined) return true;
  job.options.events?.note?.(`${plan.source.name} is loaded by this host alone: ${why}`);
  return false;
}

function hindrance(job: Job, cut: Cut, readable: boolean): string | undefined {
  const { onlyRejectsOf, from, again } = job.options;
  if (onlyRejectsOf !== undefined) return 'corrected rejects are few';
  if (from === undefined || again === undefined)
    return 'its pipeline or an input was made by a program, and no worker could make it again';
  if (!cut.byPlace || !readable) return 'its parts cannot be read by their places alone';
  return undefined;
}
