import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Cut } from '../../core/parts.js';
import { changedRun } from '../../core/run.js';
import { bytesOfSource } from '../../sources/bytes/open.js';
import { isText } from '../../sources/format.js';
import type { Checked } from '../check/check.js';
import type { WholePlan } from '../given/publish-plan.js';
import type { Job } from '../job/job.js';
import { atOnce } from './concurrency.js';
import { isTarget } from './load.js';
import { readersOf, wholeBecause } from './parts.js';
import { columnsFor, numbersItself } from './place.js';
import { hindrance } from './workers/whether.js';

/** The inputs of a plan, with how they would be read, where nothing is in the way of reading them. */
export async function inputsAsRead(job: Job, checked: Checked): Promise<WholePlan['inputs']> {
  const { inputs } = checked.plan;
  if (checked.findings.some(({ finding }) => finding.severity === 'error')) return inputs;
  try {
    const read = await howRead(job, checked);
    return inputs.map((input) => {
      const said = read.get(job.labels[input.name] ?? '');
      return said === undefined ? input : { ...input, read: said };
    });
  } finally {
    await job.options.database.endSnapshot();
  }
}

/** How a load would read each input that a flow begins with; by the label of the input. Throws what opening one throws. */
async function howRead(job: Job, checked: Checked): Promise<ReadonlyMap<string, string>> {
  const said = new Map<string, string>();
  const { lanes } = await atOnce(job, checked.flows, true);
  for (const plan of checked.flows) said.set(plan.source.name, await flowRead(job, checked, plan, lanes));
  return said;
}

async function flowRead(job: Job, checked: Checked, plan: FlowPlan, lanes: number): Promise<string> {
  const { source, root } = plan;
  const why = wholeBecause(job, plan, false);
  if (why !== undefined) return inOnePiece(job, why);
  // Only a replaced table's staging is as the table itself.
  const numbers = endsOf(root)
    .filter(isTarget)
    .some((end) => end.mode === 'replace' && numbersItself({ table: columnsFor(end, checked) }));
  const readers = numbers ? 1 : lanes;
  const atATime = readers === 1 ? 'one at a time' : `${readers} at a time`;
  const cutAsText = (source.kind === 'file' && isText(source.format)) || source.kind === 'stdin';
  const text = 'in parts of some MiB of its text';
  if (cutAsText && job.options.workers !== true) return `${text}, ${atATime}`;
  if (!cutAsText && numbers) return inOnePiece(job, 'the table numbers its rows as they come');
  // How far it looks into them is of no interest.
  const run = changedRun(job.checkRun(), { progress() {} });
  const once = cutAsText && (await bytesOfSource(source, run)) === undefined;
  // Of a batch that is resumed nothing is known here.
  const cut = once ? READ_ONCE : await source.cut?.(run, { known: [], readers: readersOf(job, readers) });
  if (cut === undefined || 'rows' in cut) return inOnePiece(job, cut?.why ?? 'it has no places to be cut at');
  const said = `in ${cutAsText ? text.slice(3) : (cut.said ?? 'parts')}`;
  if (job.options.workers !== true) return `${said}, ${atATime}`;
  await closed(cut);
  const hinders = hindrance(job, { plan, inOrder: numbers, known: 0 }, cut);
  return hinders === undefined
    ? `${said}, by workers`
    : `${said}, ${atATime}, by the host that begins the batch: ${hinders}`;
}

const inOnePiece = ({ options }: Job, why: string): string =>
  `in one piece${options.workers === true ? ' by the host that begins the batch' : ''}: ${why}`;

/** What a cut would say of what a plan must not read, as that can be done only once: stdin, a pipe. */
const READ_ONCE: Cut = {
  opening: null,
  byPlace: false,
  async part() {
    throw new Error('nothing is read of it');
  },
  async *parts() {},
};

/** Has a cut let go of what it holds open: so it does when its parts end. */
async function closed(cut: Cut): Promise<void> {
  const parts = cut.parts();
  const { done, value } = await parts.next();
  if (done !== true) value.release();
  await parts.return();
}
