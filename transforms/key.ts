import type { Row } from '../src/core/row.js';

/** What rows are grouped by: a column, several columns, or a function of the row. */
export type By<R extends Row = Row> = string | readonly string[] | ((row: R) => unknown);

/** Whether two neighbouring rows are of one group; NULL equals NULL, as in GROUP BY. */
export function sameGroup<R extends Row>(by: By<R>): (a: R, b: R) => boolean {
  if (typeof by === 'function') return (a, b) => same(by(a), by(b));
  if (typeof by === 'string') return (a, b) => same(a[by], b[by]);
  return (a, b) => {
    for (const column of by) if (!same(a[column], b[column])) return false;
    return true;
  };
}

/** The group of a row as text: equal exactly where the rows are of one group. */
export function groupKey<R extends Row>(by: By<R>): (row: R) => string {
  if (typeof by === 'function') return (row) => keyOf(by(row));
  if (typeof by === 'string') return (row) => keyOf(row[by]);
  return (row) => {
    let key = '';
    for (const column of by) key += keyOf(row[column]);
    return key;
  };
}

/** The group of a row for people, with its columns where they are known. */
export function describeGroup<R extends Row>(by: By<R>): (row: R) => string {
  if (typeof by === 'function') return (row) => show(by(row));
  const columns = typeof by === 'string' ? [by] : by;
  return (row) => columns.map((column) => `${column} ${show(row[column])}`).join(', ');
}

function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? null) === (b ?? null)) return true;
  return typeof a === 'object' && typeof b === 'object' && keyOf(a) === keyOf(b);
}

// The length in front keeps ('a', 'bc') and ('ab', 'c') apart; the letter keeps 1, '1' and NULL apart.
function keyOf(value: unknown): string {
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (value === null || value === undefined) return '-';
  if (typeof value !== 'object') return `${(typeof value)[0]}${String(value)};`;
  const text =
    JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)) ?? '';
  return `o${text.length}:${text}`;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
