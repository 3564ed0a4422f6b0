import { isExactNumber } from '../../core/json/exact-number.js';
import type { Row } from '../../core/row.js';

/** Whether a JSON value can be a row. */
export const isObject = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);

/** A JSON value's type, for a sentence. */
export const kindOf = (value: unknown) =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'an array'
      : `a ${typeof value === 'bigint' || isExactNumber(value) ? 'number' : typeof value}`;
