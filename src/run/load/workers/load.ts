import { chooseColumns } from '../../../../sinks/load/copy/chosen.js';
import { isPlainLine } from '../../../core/cuttable.js';
import { type Following, firstCause } from '../../../core/follow.js';
import { type ClosedEnd, followForks } from '../../../core/follow-forks.js';
import type { Cut } from '../../../core/parts.js';
import type { Job } from '../../job/job.js';
import { followingForks } from '../forks.js';
import { type InParts, knownAgain } from '../in-parts.js';
import { followLine } from '../line.js';
import type { Reading } from '../reading.js';
import { EndsHere } from './ends-here.js';
import { ByWorkers } from './follow.js';

/**
 * Hands the parts to workers, but for those that are to be compared with what is loaded of them, and waits for all. Gives
 * what became of the rows at ends that are no tables: these are filled here, of what workers have sent. Throws what stands
 * in the way of the queue, and the first error; parts that are loaded stay.
 */
export async function followByWorkers(
  job: Job,
  {
    given,
    cut,
    whole,
    countedBy,
  }: {
    readonly given: InParts;
    readonly cut: Cut;
    readonly whole: Following;
    readonly countedBy: Reading['countedBy'];
  },
): Promise<ReadonlyMap<number, ClosedEnd>> {
  // What a run notes of the columns, and says of those that are missing, is for this process to say.
  for (const { place } of given.tables) chooseColumns(place.table, undefined);
  const stop = new AbortController();
  const signal = AbortSignal.any([whole.signal, stop.signal]);
  const ends = await EndsHere.open(job, given, { ...whole, signal });
  const both: Promise<void>[] = [];
  let workers: ByWorkers | undefined;
  try {
    workers = await ByWorkers.open(job, given, ends);
    await workers.begin(cut.opening);
    const told = countedBy(workers.loadedBytes);
    both.push(
      handOver(job, { given, cut, whole: { ...whole, signal }, workers }),
      workers.loaded(signal, told),
    );
    await Promise.all(both);
    return await ends.close();
  } catch (error) {
    stop.abort();
    await Promise.allSettled(both);
    await ends.discard();
    throw firstCause(error, whole.signal);
  } finally {
    await workers?.end();
  }
}

/** Hands over all parts that are not known; the others are compared here. */
async function handOver(
  job: Job,
  {
    given,
    cut,
    whole,
    workers,
  }: {
    readonly given: InParts;
    readonly cut: Cut;
    readonly whole: Following;
    readonly workers: ByWorkers;
  },
): Promise<void> {
  const { plan, tables } = given;
  const known = knownAgain(tables[0].known);
  const { end: _, ...rest } = cut;
  async function* ours() {
    for await (const part of cut.parts())
      if (known(part.start) === undefined) await workers.hand(part);
      else yield part;
    await workers.flush();
  }
  const compared: Cut = { ...rest, parts: ours };
  // Ends that are no tables are open already; where they are, nothing is known.
  if (isPlainLine(plan)) await followLine(job, given, whole, compared);
  else if (tables[0].known.length > 0) await followForks(plan, compared, followingForks(job, given, whole));
  else await ours().next();
  workers.handedAll();
}
