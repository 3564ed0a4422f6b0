import { silenced } from '../src/core/quiet-run.js';
import type { Row, Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import type { Source, Stage } from '../src/core/types.js';

/**
 * The rows of `source` that these stages let pass, as they leave them: what a `lookup` reads so that rows whose parent is
 * rejected are not taken for good ones. Nothing is rejected or counted here; the flow that the rows themselves go through
 * does that. Throws what reading and the stages throw.
 */
export function passing<R extends Row, A extends Row>(source: Source<R>, a: Stage<R, A>): Source<A>;
export function passing<R extends Row, A extends Row, B extends Row>(
  source: Source<R>,
  a: Stage<R, A>,
  b: Stage<A, B>,
): Source<B>;
export function passing<R extends Row, A extends Row, B extends Row, C extends Row>(
  source: Source<R>,
  a: Stage<R, A>,
  b: Stage<A, B>,
  c: Stage<B, C>,
): Source<C>;
export function passing(source: Source, ...stages: readonly Stage<never, Row>[]): Source;
export function passing(source: Source, ...stages: readonly Stage<never, Row>[]): Source {
  return {
    name: source.name,
    kind: source.kind,
    read(run: Run): Rows {
      const silent = silenced(run);
      return stages.reduce(
        (rows, stage) => (stage as unknown as Stage)(rows, silent),
        source.read(run) as Rows,
      );
    },
  };
}
