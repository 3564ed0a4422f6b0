import { endName, endsOf } from '../../../core/flow.js';
import type { Cut } from '../../../core/parts.js';
import type { Job } from '../../job/job.js';
import type { InParts } from '../in-parts.js';

/** Whether a flow is loaded by workers, as the command wants; where they cannot, says why. */
export function byWorkers(job: Job, given: InParts, cut: Cut): boolean {
  if (job.options.workers !== true) return false;
  const why = hindrance(job, { ...given, known: given.tables[0].known.length }, cut);
  if (why === undefined) return true;
  loadedHere(job, given.plan.source.name, why);
  return false;
}

/** Says that an input is loaded by this host, though workers were asked for, and why. */
export function loadedHere({ options }: Job, input: string, why: string): void {
  options.events?.note?.(`${input} is loaded by this host alone: ${why}`);
}

/** Why workers cannot load a flow that is cut so, of which `known` parts are loaded; undefined where they can. */
export function hindrance(
  { options: { onlyRejectsOf, from, again } }: Job,
  { plan, inOrder, known }: Pick<InParts, 'plan' | 'inOrder'> & { readonly known: number },
  cut: Cut,
): string | undefined {
  const { source, root } = plan;
  if (onlyRejectsOf !== undefined) return 'corrected rejects are few';
  if (!cut.byPlace) return 'it can only be read from its beginning on (stdin, compressed, no UTF-8)';
  if (from === undefined || again === undefined)
    return 'its pipeline or an input was made by a program, and no worker could make it again';
  if (inOrder) return 'the table numbers its rows as they come';
  if (source.partReader === undefined) return 'no other process could read parts of it';
  // What an earlier attempt has brought there is gone.
  const other = endsOf(root).find((end) => !('kind' in end));
  if (other !== undefined && known > 0)
    return `what is loaded already has to be read again for ${endName(other)}`;
  return undefined;
}
