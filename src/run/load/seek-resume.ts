import { sum } from '../../core/accounting.js';
import type { FlowMark } from '../../core/bookmark.js';
import { bookNames, type FlowPlan, keepsNothing } from '../../core/flow.js';
import type { Batch } from '../../db/ledger/batches.js';
import { forgetRejects, type ReadUpTo, rejectPages, standingRejects } from '../../db/ledger/rejects.js';
import type { Loaded, SegmentMark } from '../../db/ledger/segments.js';
import type { Checked } from '../check/check.js';
import { isUntouched, recordInputs } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';

/** Where a flow is read on: after so many of its segments. */
export interface ReadOn {
  readonly segments: number;
  readonly mark: SegmentMark;
}

/** A flow that goes on in the middle of its input. */
interface Candidate extends ReadOn {
  readonly flow: number;
  /** As its rejects name the input. */
  readonly input: string;
}

/**
 * Where the flows of a load that broke off are read on, by their number; the others are read again from the beginning.
 * A flow is read on where the ledger says how far it was, its file was not written to since, neither Sluice nor the
 * pipeline is another than then as far as can be told, nothing keeps a record of its rows, and every reject up to there
 * is stored. It begins after the last segment but one: the rows of the last come by again and are compared, which
 * tells a change of the pipeline that nothing else does. The rejects of all rows that come by again are forgotten.
 */
export async function readOn(
  job: Job,
  { flows }: Checked,
  batch: Batch,
  loaded: readonly Loaded[],
): Promise<ReadonlyMap<number, ReadOn>> {
  const { database } = job.options;
  // The record of the run has the code only where all attempts had the same.
  const same = job.kept === 'none' && job.state.manifest?.code !== undefined;
  const able = same ? candidates(flows, loaded, await untouchedInputs(job, batch)) : [];
  const standing = await standingRejects(database, batch.id, able.map(upTo));
  const chosen = able.filter(({ input, mark }) => rejectedBy(mark) === (standing.get(input) ?? 0));
  await forgetRejects(database, batch.id, chosen.map(upTo));
  for await (const page of rejectPages(database, batch.id)) job.rejects.takeOver(page);
  job.read.readBefore(Object.fromEntries(chosen.map(({ input, mark }) => [input, mark.columns])));
  for (const { input, mark } of chosen)
    job.options.events?.note?.(`${input} is read on at line ${mark.at.line}`);
  return new Map(chosen.map(({ flow, segments, mark }) => [flow, { segments, mark }]));
}

/** The flows that the ledger's marks are of, whose files are among the `untouched`. */
function candidates(
  flows: readonly FlowPlan[],
  loaded: readonly Loaded[],
  untouched: ReadonlySet<string>,
): Candidate[] {
  return loaded.flatMap(({ flow, marks }) => {
    const plan = flows[flow];
    const place = lastButOne(marks);
    if (plan === undefined || place === undefined || !isSame(plan, place.mark)) return [];
    const { name } = plan.source;
    // Of two flows that read one file nobody could say whose a reject is.
    const alone = flows.filter(({ source }) => source.name === name).length === 1;
    return alone && untouched.has(name) ? [{ flow, input: name, ...place }] : [];
  });
}

/** The place after the last segment but one, or the last one before it that has a place. */
function lastButOne(marks: Loaded['marks']): ReadOn | undefined {
  for (let segments = marks.length - 1; segments > 0; segments--) {
    const mark = marks[segments - 1];
    if (mark !== null && mark !== undefined) return { segments, mark };
  }
  return undefined;
}

/** Whether the accounts are of such a flow. */
function isSame(plan: FlowPlan, { stages }: FlowMark): boolean {
  const names = bookNames(plan);
  return (
    keepsNothing(plan) &&
    names.length === stages.length &&
    stages.every(({ stage }, at) => stage === names[at])
  );
}

const upTo = ({ input, mark }: Candidate): ReadUpTo => ({ input, line: mark.at.line });

const rejectedBy = ({ stages }: FlowMark): number =>
  stages.reduce((rows, { rejected }) => rows + sum(rejected), 0);

/** The labels of the inputs whose files are those that the batch began with, and were not written to since. */
async function untouchedInputs(job: Job, batch: Batch): Promise<ReadonlySet<string>> {
  const before = batch.manifest?.inputs ?? {};
  const now = await recordInputs(job.inputs, job.options.inputs ?? {});
  const same = Object.keys(job.inputs).filter((name) => isUntouched(before[name], now[name]));
  return new Set(same.map((name) => job.labels[name] as string));
}
