import { keepsAcrossParts, mayBeCut } from '../../core/cuttable.js';
import { accountName, endName, endsOf, type FlowPlan } from '../../core/flow.js';
import { isText } from '../../sources/format.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { atOnce } from './concurrency.js';
import { isTarget } from './load.js';
import { mayBeInParts, mayReadApart } from './parts.js';
import { columnsFor, numbersItself } from './place.js';

/** How a load would read each input that a flow begins with, as a plan says it; by the label of the input. Throws what opening one throws. */
export async function howRead(job: Job, checked: Checked): Promise<ReadonlyMap<string, string>> {
  const said = new Map<string, string>();
  const { lanes } = await atOnce(job, checked.flows, true);
  for (const plan of checked.flows) said.set(plan.source.name, await flowRead(job, checked, plan, lanes));
  return said;
}

async function flowRead(job: Job, checked: Checked, plan: FlowPlan, lanes: number): Promise<string> {
  const { source, root } = plan;
  const tables = endsOf(root).filter(isTarget);
  if (tables.length === 0) return `in one piece: it goes to ${endsOf(root).map(endName).join(', ')}`;
  const stage = keepsAcrossParts(plan);
  if (stage !== undefined)
    return stage.within === undefined
      ? `in one piece: ${accountName.stage(stage)} does not say that it is stateless`
      : `in one piece: ${accountName.stage(stage)} remembers rows by ${stage.within.by.join(', ')}, which may be of several parts`;
  if (!mayBeCut(plan)) return 'in one piece: it has no places to be cut at';
  if (!mayBeInParts(job, plan, false)) return 'in one piece, as this run is';
  // Only a replaced table's staging is as the table itself.
  const numbers = tables.some(
    (end) => end.mode === 'replace' && numbersItself({ table: columnsFor(end, checked) }),
  );
  const readers = numbers ? 1 : lanes;
  const atATime = readers === 1 ? 'one at a time' : `${readers} at a time`;
  if ((source.kind === 'file' && isText(source.format)) || source.kind === 'stdin')
    return `in parts of some MiB of its text, ${atATime}`;
  if (numbers) return 'in one piece: the table numbers its rows as they come';
  const cut = await source.cut?.(job.checkRun(), {
    known: [],
    readers: mayReadApart(job) ? readers : 1,
  });
  if (cut === undefined || 'rows' in cut)
    return `in one piece: ${cut?.why ?? 'it has no places to be cut at'}`;
  return `in ${cut.said ?? 'parts'}, ${atATime}`;
}
