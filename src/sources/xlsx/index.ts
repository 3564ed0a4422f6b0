import { xlsxErrors } from '../../core/errors/catalogue/xlsx.js';
import { plural } from '../../core/plural.js';
import { type AnyRow, CHUNK_ROWS, type Column, type Row, type TextRow } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { stopIfAborted } from '../bytes/stop.js';
import { givenColumns, type HeaderOptions, resolveHeader } from '../csv/header.js';
import { type RowMaker, rowMaker } from '../csv/rows.js';
import { pathSource } from '../text/path-source.js';
import { addressOf, BadCell, type CellValue, rowsOfSheet, type SheetRow } from './sheet.js';
import { openWorkbook, type SheetPlace, sheetOf } from './workbook.js';

export interface XlsxOptions extends HeaderOptions {
  /** The sheet by its name; left out, the only one that is not hidden. */
  readonly sheet?: string;
  /** False: the first row is one of rows, and `columns` names the cells. */
  readonly header?: boolean;
  /** Rows left out before the header. */
  readonly skipLines?: number;
}

/**
 * The rows of a sheet of the Excel workbook (.xlsx) at `path`, a file or a URL; the first row with something in it is the
 * header. Values are text, or null where a cell is empty: numbers in the fewest digits that are the same double (whole ones
 * as they stand there), dates and times by the format that they are shown in, to the millisecond, booleans `t` and `f`, of
 * formulas the value that was computed last. Of merged cells the first has the value. Rows with nothing in them are
 * skipped; a row's origin is its number in the sheet. Takes the packages yauzl and saxes.
 *
 * A row with an error (`#N/A`) or a date that there is not is a reject with the cell's address, as is one with a value
 * beyond the header. Checking and reading throw usage `not_xlsx`, `no_xlsx_reader`, `which_sheet`, `no_such_sheet`,
 * `missing_column`, `unknown_column`, `zip_encrypted`, refused `no_sheets`, `empty_sheet`, `duplicate_column`, failed
 * `corrupt_zip`, `corrupt_xlsx`.
 */
export function xlsx<const C extends string>(
  path: string,
  options: XlsxOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function xlsx<R extends AnyRow = Row>(
  path: string,
  options?: XlsxOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function xlsx(path: string, options: XlsxOptions = {}): Source {
  return pathSource(path, {
    format: 'xlsx',
    columns: options.columns,
    batches: (run) => readSheet(path, options, run),
  });
}

async function* readSheet(
  path: string,
  options: XlsxOptions,
  run: Run,
): AsyncGenerator<readonly Row[], void> {
  const book = await openWorkbook(path, run);
  try {
    const sheet = sheetOf(book, options.sheet);
    const { input } = book.zip;
    const { skipLines = 0, header = true } = options;
    let maker: RowMaker | undefined = header ? undefined : rowMaker(givenColumns(options, input));
    for await (const read of rowsOfSheet(book, sheet)) {
      stopIfAborted(run);
      let rows: Row[] = [];
      for (const found of read) {
        if (found.number <= skipLines) continue;
        if (maker === undefined) {
          maker = rowMaker(resolveHeader(headerIn(found), options, input));
          continue;
        }
        const row = rowOf(found, maker, sheet, run);
        if (row !== undefined) rows.push(row);
        if (rows.length < CHUNK_ROWS) continue;
        yield rows;
        rows = [];
      }
      if (rows.length > 0) yield rows;
    }
    if (maker === undefined) throw xlsxErrors.empty_sheet({ input, sheet: sheet.name });
  } finally {
    book.zip.close();
  }
}

/** The names in a row, up to the last one. */
function headerIn({ cells }: SheetRow): string[] {
  const names = Array.from(cells, (cell) => (cell instanceof BadCell ? cell.value : (cell ?? '')));
  while (names.length > 0 && names.at(-1) === '') names.pop();
  return names;
}

/** The row that its cells make; undefined where it was rejected. */
function rowOf({ number, cells }: SheetRow, maker: RowMaker, sheet: SheetPlace, run: Run): Row | undefined {
  const { columns, names } = maker;
  const values = Array.from({ length: columns }, (_, at) => shown(cells[at]));
  const row = maker.fromValues(values, number);
  const bad = cells.findIndex((cell, at) =>
    at < columns ? cell instanceof BadCell : cell !== undefined && cell !== '',
  );
  if (bad < 0) return row;
  const cell = cells[bad];
  if (bad >= columns) {
    const message = `${addressOf(sheet.name, bad, number)} holds a value, and the header has ${plural(columns, 'column')}`;
    run.reject(row, { reason: 'ragged_row', message, value: shown(cell) });
  } else if (cell instanceof BadCell) {
    const { reason, value, address } = cell;
    const what = reason === 'error_cell' ? `the error ${value}` : `the day ${value}, which is no date`;
    run.reject(row, { reason, message: `${address} holds ${what}`, column: names[bad] as string, value });
  }
  return undefined;
}

const shown = (cell: CellValue): string | null => (cell instanceof BadCell ? cell.value : (cell ?? null));
