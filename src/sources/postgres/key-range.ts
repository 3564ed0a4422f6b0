import { literal } from '../../db/quote.js';

/** A value of a key, each column as text, in the order of the columns. */
export type KeyValue = readonly (string | null)[];

/** Where a range of a key's values begins (with that one), and before which it ends; undefined: without an end there. */
export interface KeyBounds {
  readonly from?: KeyValue;
  readonly to?: KeyValue;
}

/**
 * A range of a key's values, in the order of ORDER BY with its defaults: ascending by each column, NULL behind all others.
 * What a statement that is read in parts puts into its WHERE.
 */
export class KeyRange {
  constructor(private readonly bounds: KeyBounds = {}) {}

  /** A condition on the `columns` of the key, as the statement names them: SQL that is true or false, never NULL. */
  of(columns: readonly string[]): string {
    const { from, to } = this.bounds;
    const parts = [
      ...(from === undefined ? [] : [notBefore(columns, from)]),
      ...(to === undefined ? [] : [`NOT ${notBefore(columns, to)}`]),
    ];
    return parts.length === 0 ? 'TRUE' : parts.join(' AND ');
  }
}

/** Whether the value of `columns` is `value` or behind it. */
function notBefore(columns: readonly string[], value: KeyValue): string {
  const [column, ...others] = columns;
  const [first, ...rest] = value;
  if (column === undefined || first === undefined) return 'TRUE';
  const inner = notBefore(others, rest);
  if (first === null) return `(${column} IS NULL AND ${inner})`;
  const text = literal(first);
  return `(${column} IS NULL OR ${column} > ${text} OR (${column} = ${text} AND ${inner}))`;
}
