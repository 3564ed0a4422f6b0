import { isExactNumber } from '../src/core/json/exact-number.js';
import { parseJson } from '../src/core/json/parse.js';
import { type AnyRow, anyColumns, type Column, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';
import { RowError, rowFailed } from './failure.js';
import { withOrigin } from './map.js';

export interface FlattenOptions<R extends AnyRow = Row, Out extends AnyRow = Row> {
  /** The column with the array: as JSON sources give it, or its text. */
  readonly column: Column<NoInfer<R>>;
  /** The row of an element; `at` is its place in the array (0-based). */
  readonly row: (parent: R, element: unknown, at: number) => Out;
  /** The reason under which a row without elements (NULL, an empty array) is skipped. Default: nothing_to_flatten. */
  readonly reason?: string;
}

/**
 * Child rows out of an array in a column: one for each element, in the order of the array, each with its parent's origin.
 * Those beyond the first count as added (`flattened`). What is no array is rejected as `not_an_array`. A RowError thrown by
 * `row` rejects the parent with all of its children; any other exception ends the batch with `stage_failed`. For parents
 * and children in tables of their own, `fork` the flow before it.
 */
export function flatten<R extends AnyRow = Row, Out extends AnyRow = Row>(
  options: FlattenOptions<R, Out>,
): Stage<R, Out> {
  const { column, row: make, reason = 'nothing_to_flatten' } = options;
  const name = `flatten(${column})`;
  return named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<Out[]> {
    for await (const chunk of rows) {
      const out: Out[] = [];
      for (const row of chunk) {
        try {
          const children = elementsOf(column, anyColumns(row)[column]).map((element, at) =>
            withOrigin(make(row, element, at), row),
          );
          for (const child of children) out.push(child);
          if (children.length === 0) run.skip(reason, [row]);
          else if (children.length > 1) run.add('flattened', children.length - 1);
        } catch (error) {
          rowFailed(name, row, error, run);
        }
      }
      if (out.length > 0) yield out;
    }
  });
}

function elementsOf(column: string, value: unknown): readonly unknown[] {
  if (value === null || value === undefined || value === '') return [];
  const held = typeof value === 'string' ? parsed(value) : value;
  if (Array.isArray(held)) return held;
  const is = isExactNumber(held) ? 'a number' : held === null ? 'null' : typeof held;
  throw new RowError('not_an_array', `${column} is no array of JSON but ${is}`, {
    ...{ column, value, expected: 'an array of JSON' },
  });
}

/** The value of a text of JSON; the text itself where it is none. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
