import type { Row } from '../../core/row.js';
import type { RejectRecord } from '../../db/ledger/rejects.js';
import { cellText, unescapeFormula } from './reject-columns.js';

/**
 * The columns of a row out of a file of rejects as the input would have them. A cell that nobody has changed is what
 * the record has (`raw`), type and all: a spreadsheet and CSV know neither numbers nor nested values, and many
 * programs quote every cell, or none. In others the escapes of CSV (`escaped`) are undone. In the column that the row
 * was rejected for, nothing and the empty text are two things.
 */
export function asGiven(
  columns: readonly (readonly [string, unknown])[],
  { raw, column_name: wrong }: Pick<RejectRecord, 'raw' | 'column_name'>,
  escaped: boolean,
): Row {
  const record = typeof raw === 'object' && raw !== null ? raw : {};
  const made: [string, unknown][] = [];
  for (const [header, value] of columns) {
    const column = escaped ? unescapeFormula(header) : header;
    if (!escaped) made.push([column, value]);
    else if (Object.hasOwn(record, column)) {
      const same = isUnchanged(value, record[column], column === wrong);
      made.push([column, same ? record[column] : unescaped(value)]);
    }
    // Rows of JSON may lack a key, and a file of CSV has a cell for it all the same.
    else if (raw === null || typeof raw === 'string' || (value !== null && value !== ''))
      made.push([column, unescaped(value)]);
  }
  return Object.fromEntries(made);
}

/** Nothing and the empty text look the same in a spreadsheet, and are written the same by it; `exact` tells them apart. */
function isUnchanged(cell: unknown, was: unknown, exact: boolean): boolean {
  if (exact && (cell === null || cell === '')) return was === cell;
  if (cell === null || cell === '') return was === null || was === undefined || was === '';
  return was !== null && was !== undefined && cell === cellText(was);
}

const unescaped = (value: unknown) => (typeof value === 'string' ? unescapeFormula(value) : value);
