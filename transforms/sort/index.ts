import type { AnyRow, Row, Rows } from '../../src/core/row.js';
import type { Run } from '../../src/core/run.js';
import { named, type Stage } from '../../src/core/types.js';
import { rowFailed } from '../failure.js';
import { Held } from './held.js';
import { merged } from './merge-runs.js';
import { keyWriter, type OrderBy } from './order.js';
import { Packer } from './pack.js';
import { MAX_RECORDS } from './radix-sort.js';
import { SortedRun } from './sorted-run.js';
import { Unpacker } from './unpack.js';

export interface SortOptions<R extends AnyRow = Row> {
  /** The name of the order, as a source's `order` names it; also stands in messages. */
  readonly name: string;
  readonly by: OrderBy<NoInfer<R>>;
  /** Rows kept in memory before a sorted run goes to disk. Default (and limit): 16 million. */
  readonly memoryRows?: number;
  /** Bytes of rows (packed, with their keys) kept in memory before that. Default: 32 MiB. */
  readonly memoryBytes?: number;
}

/** A stage that also says in which order its rows leave. */
export type SortStage<R extends AnyRow = Row> = Stage<R> & { readonly order: string };

/** Runs merged at once; more are merged in passes, since each holds a frame of rows and an open file. */
const FAN_IN = 96;

/**
 * All rows in order; rows with equal keys keep the order in which they came. Memory is bounded by
 * `memoryBytes`: what exceeds it goes to scratch files as sorted runs, which are merged at the end. If
 * all rows fit, nothing touches the disk. Input in order already is neither sorted nor compared again.
 * The rows that leave are copies: every value that structured cloning knows survives, and the origin.
 *
 * A row whose key has no place in the order (text where a number must be) is rejected: `not_a_number`,
 * `not_an_integer`. Throws `scratch_failed` when the disk is full, `unspillable_row` for a function.
 */
export function sort<R extends AnyRow = Row>(options: SortOptions<R>): SortStage<R> {
  const { name, memoryBytes = 32 * 2 ** 20 } = options;
  const memoryRows = Math.max(1, Math.min(options.memoryRows ?? MAX_RECORDS, MAX_RECORDS));
  const title = `sort(${name})`;
  const write = keyWriter<R>(options.by);
  const stage = named(title, async function* (rows: Rows<R>, run: Run): AsyncGenerator<R[]> {
    const packer = new Packer();
    const runs: SortedRun[] = [];
    let held: Held<R> | undefined = new Held<R>(memoryBytes, memoryRows, write, packer);
    try {
      for await (const chunk of rows) {
        let next = 0;
        while (next < chunk.length) {
          next = fill(held, chunk, next, title, run);
          if (next < chunk.length) await spill(runs, held, run);
        }
      }
      const unpacker = new Unpacker(packer.shapes);
      if (runs.length === 0) {
        const { block } = held;
        for (const place of held.ordered()) if (unpacker.take(block, place)) yield unpacker.rows() as R[];
      } else {
        if (held.rows > 0) await spill(runs, held, run);
        // Its memory is free for the merge.
        held = undefined;
        for await (const _ of merged(runs, unpacker)) yield unpacker.rows() as R[];
      }
      const rest = unpacker.rows() as R[];
      if (rest.length > 0) yield rest;
    } finally {
      await Promise.all(runs.map((each) => each.dispose()));
    }
  });
  return Object.assign(stage, { order: name });
}

/** Takes rows of `chunk` from index `from` on, and gives the index of the first for which there is no room. */
function fill<R extends AnyRow = Row>(
  held: Held<R>,
  chunk: readonly R[],
  from: number,
  title: string,
  run: Run,
): number {
  for (let i = from; i < chunk.length; i++) {
    try {
      if (!held.add(chunk[i] as R)) return i;
    } catch (error) {
      rowFailed(title, chunk[i] as R, error, run);
    }
  }
  return chunk.length;
}

/** Writes what is held as one more run; merges the last runs when they are as many as can be, of one level. */
async function spill<R extends AnyRow = Row>(runs: SortedRun[], held: Held<R>, run: Run): Promise<void> {
  const places = held.ordered();
  const { block } = held;
  const one = await SortedRun.create(run.scratch, 0);
  runs.push(one);
  for (const place of places) {
    if (!one.take(block, place)) continue;
    run.signal.throwIfAborted();
    await one.flush();
  }
  run.signal.throwIfAborted();
  await one.end();
  held.clear();
  for (;;) {
    const tail = runs.slice(-FAN_IN);
    const { level } = tail[0] as SortedRun;
    if (tail.length < FAN_IN || tail.some((other) => other.level !== level)) return;
    const whole = await SortedRun.create(run.scratch, level + 1);
    runs.push(whole);
    for await (const _ of merged(tail, whole)) {
      run.signal.throwIfAborted();
      await whole.flush();
    }
    await whole.end();
    runs.splice(-FAN_IN - 1, FAN_IN);
    await Promise.all(tail.map((each) => each.dispose()));
  }
}
