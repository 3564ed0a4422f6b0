import { silenced } from '../src/core/quiet-run.js';
import type { AnyRow, Row, Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import type { Source, Stage } from '../src/core/types.js';

/**
 * The rows of `source` that these stages, up to ten, let pass, as they leave them: what a `lookup` reads so that rows whose parent is
 * rejected are not taken for good ones. Nothing is rejected or counted here; the flow that the rows themselves go through
 * does that. Throws what reading and the stages throw.
 */
export function passing<
  R extends AnyRow = Row,
  A extends AnyRow = R,
  B extends AnyRow = A,
  C extends AnyRow = B,
  D extends AnyRow = C,
  E extends AnyRow = D,
  F extends AnyRow = E,
  G extends AnyRow = F,
  H extends AnyRow = G,
  I extends AnyRow = H,
  J extends AnyRow = I,
>(
  source: Source<R>,
  a?: Stage<R, A>,
  b?: Stage<A, B>,
  c?: Stage<B, C>,
  d?: Stage<C, D>,
  e?: Stage<D, E>,
  f?: Stage<E, F>,
  g?: Stage<F, G>,
  h?: Stage<G, H>,
  i?: Stage<H, I>,
  j?: Stage<I, J>,
): Source<J>;
export function passing(source: Source, ...stages: readonly (Stage | undefined)[]): Source {
  return {
    name: source.name,
    kind: source.kind,
    read(run: Run): Rows {
      const silent = silenced(run);
      return stages.reduce((rows, stage) => stage?.(rows, silent) ?? rows, source.read(run));
    },
  };
}
