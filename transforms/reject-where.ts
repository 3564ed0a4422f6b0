import { type AnyRow, anyColumns, type Column, type Row, type Rows } from '../src/core/row.js';
import type { Rejection, Run } from '../src/core/run.js';
import { named, type Stage } from '../src/core/types.js';
import { rowFailed } from './failure.js';

/** Why a row is set aside; the value that the reject shows is the column's. */
export interface RejectReason<R extends AnyRow = Row> extends Omit<Rejection, 'column' | 'value'> {
  readonly column?: Column<NoInfer<R>>;
}

/**
 * Rejects the rows for which `predicate` is true, for the reason `why` (a snake_case code, or more of what a reject says);
 * the others pass unchanged. For rows that are left out on purpose, nothing being wrong with them, use `filter`. A RowError
 * thrown by `predicate` rejects the row with its own reason; any other exception ends the batch with `stage_failed`.
 */
export function rejectWhere<R extends AnyRow = Row>(
  predicate: (row: R) => boolean,
  why: string | RejectReason<R>,
): Stage<R> {
  const reason: RejectReason<R> = typeof why === 'string' ? { reason: why } : why;
  const name = `reject(${reason.reason})`;
  return named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<R[]> {
    for await (const chunk of rows) {
      const out: R[] = [];
      for (const row of chunk) {
        try {
          if (predicate(row)) run.reject(row, rejectionOf(row, reason));
          else out.push(row);
        } catch (error) {
          rowFailed(name, row, error, run);
        }
      }
      if (out.length > 0) yield out;
    }
  });
}

function rejectionOf<R extends AnyRow>(row: R, reason: RejectReason<R>): Rejection {
  const { column } = reason;
  return column === undefined ? reason : { ...reason, value: anyColumns(row)[column] ?? null };
}
