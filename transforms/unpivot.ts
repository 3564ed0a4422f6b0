import { type AnyRow, anyColumns, type Column, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage, stateless } from '../src/core/types.js';
import { withOrigin } from './map.js';

export interface UnpivotOptions<
  R extends AnyRow,
  C extends Column<R>,
  Name extends string,
  Value extends string,
> {
  /** The columns that become rows. */
  readonly columns: readonly C[];
  /** The new column that says which of them a row is of. */
  readonly name: Name;
  /** The new column with what stood there. */
  readonly value: Value;
  /** What becomes of NULL: no row (default), or one like any other. */
  readonly nulls?: 'skip' | 'keep';
}

/** The rows that `unpivot` makes. */
export type Unpivoted<
  R extends AnyRow,
  C extends Column<R>,
  Name extends string,
  Value extends string,
> = Omit<R, C> & Readonly<Record<Name, C>> & Readonly<Record<Value, R[C]>>;

/**
 * A row for each of several columns (`jan`, `feb`, …): the other columns stay, `name` has the column's name, `value` what
 * stood in it. Rows beyond the first of each row count as added (`unpivoted`), a row without any as skipped
 * (`nothing_to_unpivot`). A row that lacks one of the columns is taken to have NULL there.
 */
export function unpivot<
  R extends AnyRow = Row,
  const C extends Column<R> = Column<R>,
  const Name extends string = string,
  const Value extends string = string,
>(options: UnpivotOptions<R, C, Name, Value>): Stage<R, Unpivoted<R, C, Name, Value>> {
  type Out = Unpivoted<R, C, Name, Value>;
  const { columns, name, value, nulls = 'skip' } = options;
  const gone = new Set<string>(columns);
  const stage = named(`unpivot(${name})`, async function* (rows: Rows<R>, run: Run): AsyncGenerator<Out[]> {
    for await (const chunk of rows) {
      const out: Out[] = [];
      for (const row of chunk) {
        const all = anyColumns(row);
        const rest = Object.fromEntries(Object.entries(all).filter(([column]) => !gone.has(column)));
        const kept = nulls === 'keep' ? columns : columns.filter((column) => (all[column] ?? null) !== null);
        for (const column of kept)
          out.push(
            withOrigin({ ...rest, [name]: column, [value]: all[column] ?? null } as AnyRow as Out, row),
          );
        if (kept.length === 0) run.skip('nothing_to_unpivot', [row]);
        else if (kept.length > 1) run.add('unpivoted', kept.length - 1);
      }
      if (out.length > 0) yield out;
    }
  });
  return stateless(stage);
}
