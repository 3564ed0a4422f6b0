import { doubleOf } from '../src/core/json/decimal.js';
import { isExactNumber } from '../src/core/json/exact-number.js';
import { jsonText } from '../src/core/json/write.js';
import type { AnyRow, Column, Row } from '../src/core/row.js';
import type { Within } from '../src/core/types.js';

/**
 * What rows are grouped by: a column, several columns, or a function of the row. An option of it is `By<NoInfer<R>>`: which
 * rows there are is for the flow to say, or any name would do.
 */
export type By<R extends AnyRow = Row> = Column<R> | readonly Column<R>[] | ((row: R) => unknown);

/** Whether two neighbouring rows are of one group; NULL equals NULL, as in GROUP BY. */
export function sameGroup<R extends AnyRow = Row>(by: By<R>): (a: R, b: R) => boolean {
  if (typeof by === 'function') return (a, b) => same(by(a), by(b));
  if (typeof by === 'string') return (a, b) => same(a[by], b[by]);
  return (a, b) => {
    for (const column of by) if (!same(a[column], b[column])) return false;
    return true;
  };
}

/** The group of a row as text: equal exactly where the rows are of one group. */
export function groupKey<R extends AnyRow = Row>(by: By<R>): (row: R) => string {
  if (typeof by === 'function') return (row) => keyOf(by(row));
  if (typeof by === 'string') return (row) => keyOf(row[by]);
  return (row) => {
    let key = '';
    for (const column of by) key += keyOf(row[column]);
    return key;
  };
}

/** The group of a row for people, with its columns where they are known. */
export function describeGroup<R extends AnyRow = Row>(by: By<R>): (row: R) => string {
  if (typeof by === 'function') return (row) => show(by(row));
  const columns = typeof by === 'string' ? [by] : by;
  return (row) => columns.map((column) => `${column} ${show(row[column])}`).join(', ');
}

function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  return (isComplex(a) || isComplex(b)) && keyOf(a) === keyOf(b);
}

// The length in front keeps ('a', 'bc') and ('ab', 'c') apart; the letter keeps 1, '1' and NULL apart. Numbers that no
// double has are the same as their text, which is what other sources than JSON give.
function keyOf(value: unknown): string {
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (value === null || value === undefined) return '-';
  if (typeof value === 'bigint' && !isSafe(value)) return keyOf(String(value));
  if (isExactNumber(value)) return keyOf(doubleOf(value.literal) ?? value.literal);
  if (typeof value !== 'object') return `${(typeof value)[0]}${String(value)};`;
  const text = jsonText(value) ?? '';
  return `o${text.length}:${text}`;
}

/** Whether values may be equal that are not identical. */
const isComplex = (value: unknown) => typeof value === 'object' || typeof value === 'bigint';

const isSafe = (value: bigint) => value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;

function show(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'object' ? (jsonText(value) ?? String(value)) : String(value);
}

/** What a stage that remembers rows of one group says of itself (see `within`); nothing where a function tells the groups. */
export function withinOf<R extends AnyRow>(
  by: By<R>,
  more: Omit<Within, 'by'> = {},
): { readonly within?: Within } {
  if (typeof by === 'function') return {};
  return { within: { by: typeof by === 'string' ? [by] : by, ...more } };
}
