import type { Rows } from '../../src/core/row.js';
import type { Run } from '../../src/core/run.js';
import { untilAborted } from '../../src/core/until-aborted.js';

/** A point in a stream at which a test holds it up. */
export interface Stall {
  /** Resolves when the stream has come to it. */
  readonly reached: Promise<void>;
  /** Lets the stream go on. */
  release(): void;
  /** Passes the rows on, waiting behind the first chunk until `release` (or an abort). */
  hold<R>(rows: Rows<R>, run: Run): Rows<R>;
}

/** A new point to hold a stream up. */
export function stall(): Stall {
  let arrive = () => {};
  let release = () => {};
  const reached = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  return {
    reached,
    release: () => release(),
    async *hold(rows, run) {
      for await (const chunk of rows) {
        yield chunk;
        arrive();
        await untilAborted(released, run.signal);
      }
    },
  };
}
