import { type StageAccount, sum } from '../../core/accounting.js';
import { mayBeCut } from '../../core/cuttable.js';
import { bookOf, endsOf, type FlowPlan } from '../../core/flow.js';
import type { KnownPart, MetPart } from '../../core/parts.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { LoadedParts } from '../../db/ledger/parts.js';
import { forgetRejects, rejectPages, type StandingLines, standingRejects } from '../../db/ledger/rejects.js';
import type { Checked } from '../check/check.js';
import { isUntouched, recordInputs } from '../inputs/fingerprint.js';
import type { Job } from '../job/job.js';
import { endKey } from './flow-ends.js';

/** The parts of a flow that are loaded; those that are passed over are not read again. */
interface Candidate {
  readonly flow: number;
  /** As its rejects name the input. */
  readonly input: string;
  readonly passed: readonly KnownPart[];
}

/**
 * What of the flows of a load that broke off is loaded in parts, by `endKey`. Parts are passed over where the file
 * was not written to since, neither Sluice nor the pipeline is another than then as far as can be told, and every
 * reject of them is stored; all others are read again and compared. So is the one that stands last in the input, in any
 * case: that tells a change of the pipeline that nothing else does. The rejects of all rows that come by again are
 * forgotten.
 */
export async function partsBefore(
  job: Job,
  { flows }: Checked,
  batch: Batch,
  loaded: readonly LoadedParts[],
): Promise<ReadonlyMap<string, readonly MetPart[]>> {
  const { database } = job.options;
  // The record of the run has the code only where all attempts had the same.
  const same = job.kept === 'none' && job.state.manifest?.code !== undefined;
  const able = same ? candidates(flows, loaded, await untouchedInputs(job, batch)) : [];
  const standing = await standingRejects(database, batch.id, able.flatMap(linesOf));
  const chosen = able.filter(({ input, passed }) => rejectedIn(passed) === (standing.get(input) ?? 0));
  await forgetRejects(database, batch.id, chosen.flatMap(linesOf));
  for await (const page of rejectPages(database, batch.id)) job.rejects.takeOver(page);
  job.read.readBefore(
    Object.fromEntries(chosen.map(({ input, passed }) => [input, passed.at(-1)?.columns ?? []])),
  );
  for (const { input, passed } of chosen)
    job.options.events?.note?.(`${input} is read on at line ${firstMissing(passed)}`);
  const over = new Set(chosen.flatMap(({ flow, passed }) => passed.map(({ start }) => `${flow}/${start}`)));
  const met = ({ flow, parts }: LoadedParts) =>
    parts.map((part) => ({ ...part, pass: over.has(`${flow}/${part.start}`) }));
  return new Map(loaded.map((end) => [endKey(end), met(end)]));
}

/**
 * The flows of which parts can be passed over, whose files are among the `untouched`. An end that is no table (a report, a
 * backup file) is made anew and wants all rows.
 */
function candidates(
  flows: readonly FlowPlan[],
  loaded: readonly LoadedParts[],
  untouched: ReadonlySet<string>,
): Candidate[] {
  return loaded.flatMap(({ flow, parts }) => {
    const plan = flows[flow];
    const passed = parts.slice(0, -1);
    if (plan === undefined || passed.length === 0 || !parts.every((part) => isSame(plan, part))) return [];
    if (!endsOf(plan.root).every((end) => 'kind' in end)) return [];
    const { name } = plan.source;
    // Of two flows that read one file nobody could say whose a reject is.
    const alone = flows.filter(({ source }) => source.name === name).length === 1;
    return alone && untouched.has(name) ? [{ flow, input: name, passed }] : [];
  });
}

/** Whether the accounts are of such a flow. */
function isSame(plan: FlowPlan, { stages }: KnownPart): boolean {
  const book = bookOf(plan);
  const isOf = ({ stage, branch }: StageAccount, at: number) =>
    stage === book[at]?.name && branch === book[at]?.branch;
  return mayBeCut(plan) && book.length === stages.length && stages.every(isOf);
}

/** The lines of the parts, those that follow each other together. */
function linesOf({ input, passed }: Candidate): StandingLines[] {
  const lines: { input: string; from: number; to: number }[] = [];
  for (const { line, lines: more } of passed) {
    const last = lines.at(-1);
    if (last !== undefined && last.to === line) last.to = line + more;
    else lines.push({ input, from: line, to: line + more });
  }
  return lines;
}

const firstMissing = (passed: readonly KnownPart[]): number => {
  let end = passed[0]?.start;
  let line = passed[0]?.line ?? 1;
  for (const part of passed) {
    if (part.start !== end) break;
    end = part.end;
    line = part.line + part.lines;
  }
  return line;
};

const rejectedIn = (parts: readonly KnownPart[]): number =>
  parts.reduce(
    (rows, { stages }) => rows + stages.reduce((more, { rejected }) => more + sum(rejected), 0),
    0,
  );

/** The labels of the inputs whose files are those that the batch began with, and were not written to since. */
async function untouchedInputs(job: Job, batch: Batch): Promise<ReadonlySet<string>> {
  const before = batch.manifest?.inputs ?? {};
  const now = await recordInputs(job.inputs, job.options.inputs ?? {}, job);
  const same = Object.keys(job.inputs).filter((name) => isUntouched(before[name], now[name]));
  return new Set(same.map((name) => job.labels[name] as string));
}
