import { guardFor } from '../../sinks/load/column-checks/index.js';
import { toTextFor } from '../../sinks/load/encode/values.js';
import type { Row, Rows } from '../core/row.js';
import type { Run } from '../core/run.js';
import { named, type Stage, stateless } from '../core/types.js';
import type { ColumnFacts } from '../db/catalog/columns.js';
import { OWN_TEXT, type OwnText, type OwnType, type ReadAs } from './own-text.js';

/** Types in which nothing is changed silently: what text and JSON take, they keep. */
const FAITHFUL: readonly string[] = ['text', 'json', 'jsonb'];

/**
 * A stage for a table whose types were proposed: a row is a reject (`would_change`) where its column would give
 * back another text than was read. The author never chose the types, so a value behind those that they were
 * taken from must not be changed by them. `pairs`: name in the row → column of the table.
 */
export function asWritten(
  pairs: ReadonlyMap<string, string>,
  columns: readonly ColumnFacts[],
  as: ReadAs,
): Stage {
  const checked: Checked[] = [];
  for (const [name, to] of pairs) {
    const column = columns.find((each) => each.name === to);
    if (column === undefined || FAITHFUL.includes(column.base) || !Object.hasOwn(OWN_TEXT, column.base))
      continue;
    const own = OWN_TEXT[column.base as OwnType];
    checked.push({ name, column, own, isTaken: takenBy(column) });
  }
  const stage = named('types', async function* (rows: Rows, run: Run): AsyncGenerator<readonly Row[]> {
    for await (const chunk of rows) {
      const changed = changedIn(chunk);
      if (changed.size === 0) {
        yield chunk;
        continue;
      }
      const kept = chunk.filter((row) => !changed.has(row));
      for (const [row, { name, column, own }] of changed)
        run.reject(row, {
          reason: 'would_change',
          column: column.name,
          value: row[name],
          expected: `${own.form}: the proposed type ${column.type} would change another text (a column of type text keeps it)`,
        });
      if (kept.length > 0) yield kept;
    }
  });

  /** Rows with a value that its column would take and change, and the first such column. A column at a time. */
  function changedIn(chunk: readonly Row[]): Map<Row, Checked> {
    const changed = new Map<Row, Checked>();
    for (const each of checked) {
      const { name, own, isTaken } = each;
      for (const row of chunk) {
        const value = row[name];
        if (value === null || value === undefined || own.keeps(value, as)) continue;
        // What the column refuses is a reject all the same, for a better reason.
        if (!changed.has(row) && isTaken(value)) changed.set(row, each);
      }
    }
    return changed;
  }
  return stateless(stage);
}

/** A column whose values are looked at. */
interface Checked {
  /** In the row. */
  readonly name: string;
  readonly column: ColumnFacts;
  readonly own: OwnText;
  isTaken(value: unknown): boolean;
}

/** Whether the encoder would send a value to the server for `column`. */
function takenBy(column: ColumnFacts): (value: unknown) => boolean {
  const guard = guardFor(column);
  const toText = toTextFor(column);
  return (value) => {
    const text = typeof value === 'string' ? value : toText(value);
    return typeof text === 'string' && guard?.accepts(text) !== false;
  };
}
