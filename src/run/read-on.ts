import { sum } from '../core/accounting.js';
import type { FlowMark } from '../core/bookmark.js';
import { keepsNothing } from '../core/flow.js';
import type { PgDatabase } from '../db/connect.js';
import type { Batch } from '../db/ledger/batches.js';
import { forgetRejects, type ReadUpTo, readRejects, standingRejects } from '../db/ledger/rejects.js';
import type { Loaded, SegmentMark } from '../db/ledger/segments.js';
import type { Checked } from './check.js';
import { isUntouched, recordInputs } from './input-record.js';
import type { Job } from './job.js';

/** Rejects read at a time. */
const PAGE = 5_000;

/** A flow that goes on in the middle of its input. */
interface Candidate {
  readonly flow: number;
  /** As its rejects name the input. */
  readonly input: string;
  readonly mark: SegmentMark;
}

/**
 * Where the flows of a load that broke off are read on, by their number; the others are read again from the beginning.
 * A flow is read on where the ledger says how far it was, its file was not touched since, nothing keeps a record of
 * its rows, and every reject up to there is stored. The rejects of all other rows are forgotten, since those come by
 * again.
 */
export async function readOn(
  job: Job,
  { flows }: Checked,
  batch: Batch,
  loaded: readonly Loaded[],
): Promise<ReadonlyMap<number, FlowMark>> {
  const { database } = job.options;
  const untouched = await untouchedInputs(job, batch);
  const able =
    job.kept !== 'none'
      ? []
      : loaded.flatMap(({ flow, mark }) => {
          const plan = flows[flow];
          if (plan === undefined || mark === null || !keepsNothing(plan)) return [];
          const { name } = plan.source;
          // Of two flows that read one file nobody could say whose a reject is.
          const alone = flows.filter(({ source }) => source.name === name).length === 1;
          return alone && untouched.has(name) ? [{ flow, input: name, mark }] : [];
        });
  const standing = await standingRejects(database, batch.id, able.map(upTo));
  const chosen = able.filter(({ input, mark }) => rejectedBy(mark) === (standing.get(input) ?? 0));
  await forgetRejects(database, batch.id, chosen.map(upTo));
  await takeOverRejects(job, database, batch.id);
  job.read.readBefore(Object.fromEntries(chosen.map(({ input, mark }) => [input, mark.columns])));
  for (const { input, mark } of chosen)
    job.options.events?.note?.(
      mark.at === 'end'
        ? `${input} is loaded, and not read again`
        : `${input} is read on at line ${mark.at.line}`,
    );
  return new Map(chosen.map(({ flow, mark }) => [flow, mark]));
}

const upTo = ({ input, mark }: Candidate): ReadUpTo => ({
  input,
  line: mark.at === 'end' ? null : mark.at.line,
});

const rejectedBy = ({ stages }: FlowMark): number =>
  stages.reduce((rows, { rejected }) => rows + sum(rejected), 0);

/** The labels of the inputs whose files are those that the batch began with, and were not written to since. */
async function untouchedInputs(job: Job, batch: Batch): Promise<ReadonlySet<string>> {
  const before = batch.run_record?.inputs ?? {};
  const now = await recordInputs(job.inputs, job.options.inputs ?? {});
  const same = Object.keys(job.inputs).filter((name) => isUntouched(before[name], now[name]));
  return new Set(same.map((name) => job.labels[name] as string));
}

async function takeOverRejects(job: Job, database: PgDatabase, batch: string): Promise<void> {
  for (let after = 0; ; ) {
    const page = await readRejects(database, batch, after, PAGE);
    job.rejects.takeOver(page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    after = last.number;
  }
}
