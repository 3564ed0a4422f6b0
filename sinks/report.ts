import type { AnyRow, Row } from '../src/core/row.js';
import type { Sink } from '../src/core/types.js';

/** How a report is made of the rows that end in it. */
export interface ReportOptions<R extends AnyRow = Row> {
  /** The columns shown, in order. */
  readonly columns: readonly (keyof R & string)[];
  /** Rows kept in full; the others are counted. Default 200. */
  readonly keep?: number;
  /** Sees every row, for totals. */
  readonly each?: (row: R) => void;
  /** The sentences above the table, asked when the last row has come. */
  readonly summary?: () => readonly string[];
}

/**
 * Ends rows in a report: a bounded table that the run shows at its end and stores with the batch; --reports-into has
 * all of its rows. It
 * changes nothing, so a dry run has it too. `make` is called for every run, so that totals start afresh.
 */
export function report<R extends AnyRow = Row>(name: string, make: () => ReportOptions<R>): Sink<R> {
  return {
    name: `report ${name}`,
    writes: 'nothing',
    async open(run) {
      const { columns, keep = 200, each, summary } = make();
      const rows: string[][] = [];
      let count = 0;
      return {
        async write(chunk) {
          const all: string[][] = [];
          for (const row of chunk) {
            each?.(row);
            const cells = columns.map((column) => String(row[column] ?? ''));
            if (rows.length < keep) rows.push(cells);
            all.push(cells);
          }
          run.reportRows(name, columns, all);
          count += chunk.length;
        },
        async close() {
          run.report({ name, columns, rows, more: count - rows.length, summary: summary?.() ?? [] });
          return count;
        },
        async discard() {},
      };
    },
  };
}
