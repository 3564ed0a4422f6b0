import type { AnyRow, Row, Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';
import { rowFailed } from './failure.js';

/**
 * Passes the rows for which `predicate` is true; the others are counted as skipped for `reason`, a
 * snake_case code (they are left out on purpose; for bad rows use validate, which rejects). A RowError
 * thrown by `predicate` rejects the row; any other exception ends the batch with `stage_failed`.
 */
export function filter<R extends AnyRow = Row>(predicate: (row: R) => boolean, reason: string): Stage<R> {
  const name = `filter(${reason})`;
  return named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<R[]> {
    for await (const chunk of rows) {
      const out: R[] = [];
      const skipped: R[] = [];
      for (const row of chunk) {
        try {
          if (predicate(row)) out.push(row);
          else skipped.push(row);
        } catch (error) {
          rowFailed(name, row, error, run);
        }
      }
      if (skipped.length > 0) run.skip(reason, skipped);
      if (out.length > 0) yield out;
    }
  });
}
