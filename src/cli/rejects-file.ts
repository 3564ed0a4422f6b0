import type { StoredReject } from '../db/ledger/rejects.js';
import { escapeFormula, REJECT_COLUMNS } from '../run/reject-columns.js';

/** The header of a CSV file of rejects: the input's columns, then those that tell of the reject. */
export function csvHeader(columns: readonly string[]): string {
  return [...columns, ...Object.values(REJECT_COLUMNS)].map(cell).join(',');
}

/** A reject as a line of it; undefined where the ledger does not have the input's row. */
export function csvLine(reject: StoredReject, columns: readonly string[]): string {
  const { raw } = reject;
  const row = typeof raw === 'object' && raw !== null ? raw : {};
  return [...columns.map((column) => (Object.hasOwn(row, column) ? row[column] : null)), ...about(reject)]
    .map(cell)
    .join(',');
}

/** A reject as a JSON line: the input's record, and the same about it under the same names. */
export function jsonLine(reject: StoredReject): string {
  const { raw } = reject;
  const names = Object.values(REJECT_COLUMNS);
  const told = about(reject).map((value, at) => [names[at] as string, value]);
  return JSON.stringify({ ...(typeof raw === 'object' ? raw : {}), ...Object.fromEntries(told) });
}

function about({ number, line, reason, message, raw }: StoredReject): unknown[] {
  return [number, line, reason, message, typeof raw === 'string' ? raw : null];
}

/** NULL is nothing, and the empty text a pair of quotes, as the CSV reader has it. */
function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  // A number is no formula, and text that looks like one is.
  const text =
    typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : escapeFormula(typeof value === 'string' ? value : JSON.stringify(value));
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
