import type { Command, Measured } from './measure.js';
import { measure } from './measure.js';

/** One way of doing a piece of work. */
interface Contestant {
  readonly name: string;
  /** Why it does not take part: not installed, say. */
  readonly skip?: string;
  readonly command: Command;
  /** Run before it, and not measured: what it finds done. */
  readonly before?: Command;
  /** Rows it is given, where they are fewer than the work's; its result is then not compared. */
  readonly rows?: number;
  /** Runs of it, where they are fewer. */
  readonly runs?: number;
  /** The most that sluice may take of its time (below 1: it must be so much quicker). */
  readonly atMost?: number;
}

/** A piece of work and the ways of doing it; the first is sluice's own. */
export interface Contest {
  /** What --only takes. */
  readonly key: string;
  readonly work: string;
  readonly rows: number;
  readonly contestants: readonly Contestant[];
  /** Makes the files that are read; called once. */
  setUp(): Promise<void>;
  /** Makes everything as it was before the work. `rows`: how many the old system is to hold. */
  prepare(rows: number): Promise<void>;
  /** What the finished tables hold, as text; must be the same for every contestant. */
  checksum(): Promise<string>;
}

export interface Standing {
  readonly name: string;
  readonly rows: number;
  readonly skipped?: string;
  readonly runs: readonly Measured[];
  readonly medianSeconds?: number;
  readonly medianCpuSeconds?: number | null;
  readonly peakMb?: number | null;
  /** Sluice's time a row, divided by this one's. */
  readonly ratio?: number;
  readonly atMost?: number;
}

export interface Result {
  readonly work: string;
  readonly rows: number;
  readonly standings: readonly Standing[];
}

/**
 * Runs all contestants in turn, `runs` times round, so that a slow spell of the machine meets all of them.
 * Throws where two contestants leave different tables.
 */
export async function hold(contest: Contest, runs: number, say: (text: string) => void): Promise<Result> {
  const measured = new Map<string, Measured[]>();
  let expected: { readonly by: string; readonly sum: string } | undefined;
  await contest.setUp();
  for (let round = 1; round <= runs; round++) {
    for (const {
      name,
      skip,
      command,
      before,
      rows = contest.rows,
      runs: own = runs,
    } of contest.contestants) {
      if (skip !== undefined || round > own) continue;
      await contest.prepare(rows);
      if (before !== undefined) await measure(before);
      const one = await measure(command);
      say(`${contest.work}, ${name}, run ${round}: ${one.seconds.toFixed(2)} s`);
      measured.set(name, [...(measured.get(name) ?? []), one]);
      if (rows !== contest.rows) continue;
      const sum = await contest.checksum();
      expected ??= { by: name, sum };
      if (sum !== expected.sum)
        throw new Error(
          `${contest.work}: ${name} left other tables than ${expected.by}:\n  ${sum}\n  ${expected.sum}`,
        );
    }
  }
  return { work: contest.work, rows: contest.rows, standings: standingsOf(contest, measured) };
}

function standingsOf(contest: Contest, measured: ReadonlyMap<string, readonly Measured[]>): Standing[] {
  let own: number | undefined;
  return contest.contestants.map(({ name, skip, rows = contest.rows, atMost }) => {
    const runs = measured.get(name) ?? [];
    if (runs.length === 0) return { name, rows, runs, ...(skip === undefined ? {} : { skipped: skip }) };
    const medianSeconds = median(runs.map((run) => run.seconds));
    own ??= medianSeconds / rows;
    return {
      name,
      rows,
      runs,
      medianSeconds,
      medianCpuSeconds: medianKnown(runs.map((run) => run.cpuSeconds)),
      peakMb: runs.reduce<number | null>(
        (most, { peakMb }) => (peakMb === null ? most : Math.max(most ?? 0, peakMb)),
        null,
      ),
      ratio: own / (medianSeconds / rows),
      ...(atMost === undefined ? {} : { atMost }),
    };
  });
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

function medianKnown(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
