import { type StageCounter, sum } from './accounting.js';
import { blamed } from './blamed.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';

/** Whose rows are read, who counts them, and how many are wanted. */
export interface ReadingOptions {
  /** As messages name the source. */
  readonly name: string;
  readonly count: StageCounter;
  readonly run: Run;
  /** Stop after so many rows. */
  readonly limit?: number;
}

/** `rows` of a flow's source, counted; records that the source rejected or skipped itself count as read. */
export async function* readCounted(rows: Rows, { name, count, run, limit }: ReadingOptions): Rows {
  let left = limit ?? Number.POSITIVE_INFINITY;
  try {
    for await (const chunk of rows) {
      if (run.signal.aborted) throw commandErrors.interrupted.stopped();
      const taken = chunk.length <= left ? chunk : chunk.slice(0, left);
      left -= taken.length;
      count.out += taken.length;
      countIn(count);
      if (taken.length > 0) yield taken;
      if (left === 0) break;
    }
    count.readToEnd = true;
  } catch (error) {
    throw blamed(error, `reading ${name}`, { input: name });
  } finally {
    countIn(count);
  }
}

/** What a source has handed on, rejected and skipped is what it has read. */
export function countIn(count: StageCounter): void {
  count.in = count.out + sum(count.rejected) + sum(count.skipped);
}
