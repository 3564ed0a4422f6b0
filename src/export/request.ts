import { assertCsvForm, type CsvForm } from '../../sinks/files/csv-form.js';
import { type ExportFormat, formatOfName } from '../../sinks/files/format.js';
import { type Packing, packingOf } from '../../sinks/files/packing.js';
import { exportErrors } from '../core/errors/catalogue/export.js';

/** What `sluice export` was told. */
export interface ExportRequest {
  /** Tables, views, … as they were named; or one query. */
  readonly tables: readonly string[];
  readonly query?: string;
  /** Of a table: its columns, in this order; left out, all that hold values of their own. */
  readonly columns?: readonly string[];
  /** A file, with %t for the table and %n for the number of the file, or a folder; left out, stdout. */
  readonly into?: string;
  readonly rowsPerFile?: number;
  /** Left out, what the file's name says, else CSV. */
  readonly format?: ExportFormat;
  /** How stdout is packed; files are as their names say. */
  readonly packing?: Packing;
  readonly csv: CsvForm;
  /** Whether files of these names may be written over. */
  readonly overwrite: boolean;
}

/**
 * The format of an export. Throws usage `export_options` where what was asked for does not go together: it is asked before
 * anything is read.
 */
export function settledFormat(request: ExportRequest): ExportFormat {
  const { tables, query, columns, into, rowsPerFile, csv, packing } = request;
  const { export_options: no } = exportErrors;
  const format = request.format ?? (into === undefined ? undefined : formatOfName(into)) ?? 'csv';
  if (query === undefined ? tables.length === 0 : tables.length > 0) throw no.tableOrQuery();
  if (query !== undefined && columns !== undefined) throw no.columnsOfTable();
  if (tables.length > 1 && columns !== undefined) throw no.columnsOfOne();
  if (into === undefined && tables.length > 1) throw no.severalToStdout({ format });
  if (into !== undefined && tables.length > 1 && !into.includes('%t')) throw no.severalInOne({ into });
  if (rowsPerFile !== undefined && into?.includes('%n') !== true) throw no.filesNumbered({ into });
  if (rowsPerFile === undefined && into?.includes('%n') === true) throw no.rowsPerFile();
  if (into !== undefined && packing !== undefined) throw no.packedByName({ packing });
  if (format === 'parquet' && (packing ?? (into === undefined ? undefined : packingOf(into))) !== undefined)
    throw no.parquetIsPacked();
  if (format !== 'csv' && (csv.delimiter !== ',' || !csv.header || csv.nullText !== undefined))
    throw no.ofCsv({ format });
  assertCsvForm(csv);
  return format;
}
