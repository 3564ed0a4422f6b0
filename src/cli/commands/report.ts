import type { Command } from 'commander';
import type { Changes } from '../../core/changes.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { Report } from '../../core/report.js';
import type { Batch } from '../../db/ledger/batches.js';
import type { Published } from '../../db/ledger/published.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';

/** `sluice report B` */
export function declareReport(root: Command): void {
  withDatabase(root.command('report').argument('<batch>', 'its id'))
    .description('what a batch did to the rows of its tables, and the reports that it left')
    .action(async (id: string, flags: DatabaseFlags) => {
      const { withReading } = await import('../given/session.js');
      process.exitCode = await withReading(flags.databaseUrl, async ({ database }) => {
        const { findBatch } = await import('../../db/ledger/batches.js');
        const { requireLedger } = await import('../../db/ledger/open.js');
        const { readPublished } = await import('../../db/ledger/published.js');
        const { recordLines } = await import('../show/records.js');
        const { table } = await import('../show/table.js');
        const { print, say } = await import('../show/terminal.js');
        await requireLedger(database);
        const batch = await findBatch(database, id);
        const { record_summary: records } = batch;
        const rows = rowsReport(batch, await readPublished(database, id));
        const reports = [...(rows === undefined ? [] : [rows]), ...(batch.reports ?? [])];
        const lines = records === null ? [] : recordLines(records);
        for (const line of flags.json === true ? [] : lines) print(line);
        if (flags.json === true) print(JSON.stringify(reports));
        else if (reports.length === 0 && lines.length === 0) say(`batch ${id} left no report`);
        else
          for (const report of reports) {
            for (const line of [report.name, ...report.summary]) print(line);
            if (report.rows.length > 0) print(...table(report.columns, report.rows, { indent: '  ' }));
            if (report.more > 0) print(`  … and ${report.more} more: see the log of the batch`);
          }
        return EXIT.done;
      });
    });
}

/** The columns of `rowsReport`, behind the table and how it was published. */
const COUNTS = [
  ...(['staged', 'inserted', 'updated', 'unchanged', 'deleted', 'missing', 'suppressed'] as const),
  'deletes_suppressed',
] as const;

/** What the batch did to the rows of its tables, as a report; undefined where nothing of that is known. */
function rowsReport({ changes }: Batch, published: readonly Published[]): Report | undefined {
  const known: [string, string, Changes][] = [
    ...published.flatMap(({ table_schema, table_name, mode, changes: of }) =>
      of === null ? [] : [[`${table_schema}.${table_name}`, mode, of] as [string, string, Changes]],
    ),
    ...Object.entries(changes ?? {}).map(([table, of]) => [table, '', of] as [string, string, Changes]),
  ];
  if (known.length === 0) return undefined;
  return {
    name: published.length === 0 ? 'rows of the tables, of which nothing was changed' : 'rows of the tables',
    summary: [],
    columns: ['table', 'how', ...COUNTS],
    rows: known.map(([table, how, of]) => [
      table,
      how,
      ...COUNTS.map((each) => String(of[each] ?? 'unknown')),
    ]),
    more: 0,
  };
}
