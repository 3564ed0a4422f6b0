import { isExactNumber } from '../../core/json/exact-number.js';
import { jsonText } from '../../core/json/write.js';
import { storableText } from '../../db/ledger/storable.js';

/** The columns behind a reject's own in a file of rejects; they are no part of the row. */
export const REJECT_COLUMNS = {
  number: 'sluice_reject',
  line: 'sluice_line',
  reason: 'sluice_reason',
  message: 'sluice_message',
  /** The text that could not be read as a record. */
  raw: 'sluice_raw',
} as const;

const NAMES: ReadonlySet<string> = new Set(Object.values(REJECT_COLUMNS));

/** Whether a column of a file of rejects is one of the above. */
export const isRejectColumn = (name: string): boolean => NAMES.has(name);

// https://owasp.org/www-community/attacks/CSV_Injection: what a spreadsheet takes for a formula. An apostrophe
// before one is escaped, too, so that every text comes back as it was.
const FORMULA = /^'*[=+\-@\t\r\n]/;
const ESCAPED = /^'+[=+\-@\t\r\n]/;

/** `text` so that a spreadsheet shows it instead of running it. */
export function escapeFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/** Undoes `escapeFormula`; text that somebody has typed anew without an apostrophe is left as it is. */
export function unescapeFormula(text: string): string {
  return ESCAPED.test(text) ? text.slice(1) : text;
}

/** A value that is neither null nor undefined as a cell of CSV, before it is quoted; `shown`: with signs for what no text file should hold. */
export function cellText(value: unknown, shown = true): string {
  // A number is no formula, and text that looks like one is.
  if (typeof value !== 'string' && (typeof value !== 'object' || isExactNumber(value))) return String(value);
  return escapeFormula(
    typeof value === 'string' ? (shown ? storableText(value) : value) : (jsonText(value) as string),
  );
}
