import type { FieldDef } from 'pg';
import { type CsvForm, headerLine } from '../../sinks/files/csv-form.js';
import type { ExportFormat } from '../../sinks/files/format.js';
import { jsonLines, lines } from './lines.js';
import type { BeginFile } from './writer.js';

/** How files of `format` are begun. Throws usage `no_parquet` where the package for it is not installed. */
export async function filesOf(
  format: ExportFormat,
  fields: readonly FieldDef[],
  csv: CsvForm,
): Promise<BeginFile> {
  if (format === 'parquet') {
    const { parquetFiles } = await import('./parquet.js');
    return parquetFiles(fields);
  }
  if (format === 'jsonl') return async (out) => lines(out, jsonLines);
  const names = fields.map(({ name }) => name);
  return async (out) => {
    if (csv.header) await out.write(Buffer.from(headerLine(names, csv)));
    return lines(out, (piece) => piece);
  };
}
