import { csvFieldBy } from '../../src/core/csv-text.js';
import { exportErrors } from '../../src/core/errors/catalogue/export.js';

/** How CSV is written. */
export interface CsvForm {
  readonly delimiter: string;
  readonly header: boolean;
  /** What stands unquoted for NULL; left out, nothing at all. */
  readonly nullText?: string;
}

/** Throws usage `export_options` where a file so written could not be read again. */
export function assertCsvForm({ delimiter, nullText }: CsvForm): void {
  const { export_options: no } = exportErrors;
  if (!/^[\t -~]$/.test(delimiter) || delimiter === '"') throw no.badDelimiter();
  if (nullText === undefined) return;
  if (/[\r\n"]/.test(nullText) || nullText.includes(delimiter)) throw no.badNull();
}

/**
 * The form of a file of so many columns. In a file of one a NULL would be an empty line, which readers take for no row:
 * there NULL is written in letters, unless the form has some.
 */
export function formFor(form: CsvForm, columns: number): CsvForm {
  return columns > 1 || form.nullText !== undefined ? form : { ...form, nullText: '\\N' };
}

/** The header of a CSV file. Pure. */
export function headerLine(columns: readonly string[], { delimiter }: CsvForm): string {
  return `${columns.map(csvFieldBy(delimiter)).join(delimiter)}\n`;
}
