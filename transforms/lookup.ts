import { detachValue } from '../src/core/detach.js';
import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { nearest } from '../src/core/errors/nearest.js';
import { type AnyRow, type Column, originOf, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Source, type Stage } from '../src/core/types.js';
import { type By, describeGroup, groupKey } from './key.js';
import { sideInput } from './side-input.js';

/** What happens to a row for which nothing is found. */
type Missing = 'reject' | 'null' | 'fail';

/** New columns, each with the column of the other rows that it is filled from. */
export type Take<From extends AnyRow> = Readonly<Record<string, Column<From>>>;

/** The new columns with the types that the other rows have; NULL as well, where that stands for what is missing. */
export type Taken<From extends AnyRow, T extends Take<From>, M extends Missing = 'reject'> = {
  readonly [New in keyof T]: From[T[New]] | (M extends 'null' ? null : never);
};

export interface LookupOptions<
  In extends AnyRow = Row,
  From extends AnyRow = Row,
  T extends Take<From> = Take<From>,
  M extends Missing = Missing,
> {
  /** Where the values are: a source, read once for each reading of the flow, or rows. */
  readonly from: Source<From> | readonly From[];
  /** The column (or columns) of `from` to find a row by; must be unique there. */
  readonly key: Column<NoInfer<From>> | readonly Column<NoInfer<From>>[];
  /** What of the row is looked up; default: the columns named by `key`. */
  readonly on?: By<NoInfer<In>>;
  /** New column of the row: column of `from`. */
  readonly take: T;
  /** When nothing is found: reject the row (default), NULL in the new columns, or end the batch. */
  readonly missing?: M;
  /** The reject's reason code; default `lookup_missing`. */
  readonly reason?: string;
  /** The most rows of `from` that may be held in memory. Default: 5 million. */
  readonly limit?: number;
  /** For messages; default: the source's name. */
  readonly name?: string;
}

/**
 * Adds columns found in another source by key. The source is read whole before the first row, into memory
 * (only the keys and the columns taken, copied out of their chunks). NULL finds nothing and is never
 * found, as in SQL. Ends the batch with `lookup_duplicate` for a key that occurs twice, `lookup_too_large`
 * beyond `limit`, `lookup_missing` where `missing` is 'fail', `lookup_source` where the source rejects a
 * row of its own, and the usage error `lookup_column` for a column that the source lacks.
 */
export function lookup<
  In extends AnyRow = Row,
  From extends AnyRow = Row,
  const T extends Take<From> = Take<From>,
  const M extends Missing = 'reject',
>(options: LookupOptions<In, From, T, M>): Stage<In, In & Taken<From, T, M>> {
  type Out = In & Taken<From, T, M>;
  const { from, key, reason = 'lookup_missing' } = options;
  const missing: Missing = options.missing ?? 'reject';
  // Where nothing else is said the rows have the columns by which a row of `from` is found.
  const on = options.on ?? (key as By<AnyRow> as By<In>);
  const sourceName = options.name ?? ('read' in from ? from.name : 'rows');
  const name = `lookup(${sourceName})`;
  const keyOf = groupKey<In>(on);
  const hasNull = nullIn<In>(on);
  const describe = describeGroup<In>(on);
  const nothing = Object.fromEntries(Object.keys(options.take).map((column) => [column, null]));
  return named(name, async function* (rows: Rows<In>, run: Run): AsyncGenerator<Out[]> {
    const table = await load({ ...options, name: sourceName }, run);
    for await (const chunk of rows) {
      const out: Out[] = [];
      for (const row of chunk) {
        const found = hasNull(row) ? undefined : table.get(keyOf(row));
        if (found !== undefined) out.push({ ...row, ...found } as Out);
        else if (missing === 'null') out.push({ ...row, ...nothing } as Out);
        else {
          const column = typeof on === 'string' ? { column: on, value: row[on] } : {};
          if (missing === 'fail')
            throw stageErrors.lookup_missing(
              { row: describe(row), source: sourceName },
              { ...column, line: originOf(row) },
            );
          const message = `${describe(row)} is not in ${sourceName}`;
          run.reject(row, { reason, message, expected: `a value found in ${sourceName}`, ...column });
        }
      }
      if (out.length > 0) yield out;
    }
  });
}

type Loading<From extends AnyRow> = Pick<LookupOptions<Row, From>, 'from' | 'key' | 'take' | 'limit'> & {
  readonly name: string;
};

async function load<From extends AnyRow>(options: Loading<From>, run: Run): Promise<Map<string, Row>> {
  const { from, key, take, limit = 5_000_000, name } = options;
  const keyOf = groupKey<From>(key);
  const hasNull = nullIn<From>(key);
  const describe = describeGroup<From>(key);
  const pairs = Object.entries(take);
  const wanted = [...new Set([...(typeof key === 'string' ? [key] : key), ...Object.values(take)])];
  const table = new Map<string, Row>();
  let checked = false;
  for await (const chunk of 'read' in from ? sideInput(from, run, name) : [from]) {
    for (const row of chunk) {
      if (!checked) checkColumns(name, wanted, row);
      checked = true;
      if (hasNull(row)) continue;
      const id = detachValue(keyOf(row));
      if (table.has(id)) {
        throw stageErrors.lookup_duplicate({ row: describe(row), source: name }, { line: originOf(row) });
      }
      if (table.size === limit) {
        throw stageErrors.lookup_too_large({ source: name, limit });
      }
      const values: Record<string, unknown> = {};
      for (const [column, origin] of pairs) values[column] = detachValue(row[origin]);
      table.set(id, values);
    }
  }
  return table;
}

function checkColumns(source: string, wanted: readonly string[], row: AnyRow): void {
  for (const column of wanted) {
    if (column in row) continue;
    throw stageErrors.lookup_column({
      source,
      column,
      columns: Object.keys(row),
      meant: nearest(column, Object.keys(row)),
    });
  }
}

function nullIn<R extends AnyRow = Row>(by: By<R>): (row: R) => boolean {
  const absent = (value: unknown) => value === null || value === undefined;
  if (typeof by === 'function') return (row) => absent(by(row));
  if (typeof by === 'string') return (row) => absent(row[by]);
  return (row) => by.some((column) => absent(row[column]));
}
