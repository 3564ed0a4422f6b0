import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { type AnyRow, type Chunk, markOrigin, originOf, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';
import { rowFailed, stageFailed } from './failure.js';

/**
 * One row out for each row in, by a synchronous function. The row made keeps its origin even if `fn`
 * builds it from nothing. A RowError thrown by `fn` rejects the row; any other exception ends the batch
 * with `stage_failed` (stage and line named); a result that is no object ends it with `not_a_row`.
 * `name` stands in messages.
 */
export function map<In extends AnyRow = Row, Out extends AnyRow = Row>(
  fn: (row: In) => Out,
  name = nameOf('map', fn),
): Stage<In, Out> {
  return named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Out[]> {
    for await (const chunk of rows) {
      const out: Out[] = [];
      for (const row of chunk) {
        let made: Out;
        try {
          made = fn(row);
        } catch (error) {
          rowFailed(name, row, error, run);
          continue;
        }
        if (typeof made !== 'object' || made === null) throw stageFailed(name, row, notARow(made));
        out.push(Object.is(made, row) ? made : withOrigin(made, row));
      }
      if (out.length > 0) yield out;
    }
  });
}

/**
 * A function over whole chunks, synchronous or not. It may leave rows out or make new ones, and must
 * count them with `run.skip`, `run.reject`, `run.merge` or `run.add`; an empty result is not passed on.
 * Chunk boundaries mean nothing: the result must not depend on them.
 */
export function mapChunk<In extends AnyRow = Row, Out extends AnyRow = Row>(
  fn: (chunk: Chunk<In>, run: Run) => Chunk<Out> | Promise<Chunk<Out>>,
  name = nameOf('mapChunk', fn),
): Stage<In, Out> {
  return named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Chunk<Out>> {
    for await (const chunk of rows) {
      let out: Chunk<Out>;
      try {
        out = await fn(chunk, run);
      } catch (error) {
        throw stageFailed(name, chunk[0] as In, error);
      }
      if (out.length > 0) yield out;
    }
  });
}

/** `made`, marked with the origin of the row it was made from where it has none. */
export function withOrigin<R extends AnyRow = Row>(made: R, from: AnyRow): R {
  const origin = originOf(from);
  if (origin === undefined || originOf(made) !== undefined) return made;
  return markOrigin(Object.isExtensible(made) ? made : { ...made }, origin);
}

/** `kind`, or `kind(f)` where the function given has a name. */
function nameOf(kind: string, fn: unknown): string {
  return typeof fn === 'function' && fn.name !== '' ? `${kind}(${fn.name})` : kind;
}

function notARow(made: unknown) {
  return stageErrors.not_a_row({ made: made === null ? 'null' : typeof made });
}
