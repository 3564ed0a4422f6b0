import pLimit from 'p-limit';
import type { AnyRow, Row, Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';
import { RowError, rowFailed, stageFailed } from './failure.js';
import { withOrigin } from './map.js';

export interface MapAsyncOptions {
  /** Calls that are under way at once, at most. Default: 8. */
  readonly concurrency?: number;
  /** For messages. Default: `mapAsync`. */
  readonly name?: string;
}

/**
 * One row out for each row in, by a function that waits for something (a service, a file), several rows at once; they
 * leave in the order in which they came. `signal` is aborted when the run must stop or another call has failed, and is to
 * be handed on to whatever is waited for. A RowError rejects the row, as in `map`; any other exception ends the batch with
 * `stage_failed`, once the calls under way have ended. The function is called again when rows are read again (`--resume`, a check).
 */
export function mapAsync<In extends AnyRow = Row, Out extends AnyRow = Row>(
  fn: (row: In, signal: AbortSignal) => Promise<Out>,
  options: MapAsyncOptions = {},
): Stage<In, Out> {
  const { concurrency = 8, name = fn.name === '' ? 'mapAsync' : `mapAsync(${fn.name})` } = options;
  return named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Out[]> {
    const limit = pLimit(concurrency);
    const failed = new AbortController();
    const signal = AbortSignal.any([run.signal, failed.signal]);
    const call = async (row: In): Promise<Out | RowError | undefined> => {
      if (signal.aborted) return undefined;
      try {
        return withOrigin(await fn(row, signal), row);
      } catch (error) {
        if (error instanceof RowError) return error;
        if (!failed.signal.aborted) failed.abort(run.signal.aborted ? error : stageFailed(name, row, error));
        return undefined;
      }
    };
    for await (const chunk of rows) {
      const made = await limit.map(chunk, call);
      run.signal.throwIfAborted();
      failed.signal.throwIfAborted();
      const out: Out[] = [];
      for (const [at, row] of chunk.entries()) {
        const each = made[at];
        if (each instanceof RowError) rowFailed(name, row, each, run);
        else if (each !== undefined) out.push(each);
      }
      if (out.length > 0) yield out;
    }
  });
}
