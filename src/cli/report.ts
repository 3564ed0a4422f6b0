import type { Command } from 'commander';
import { EXIT } from '../core/errors.js';
import { type DatabaseFlags, withDatabase } from './flags.js';

/** `sluice report B` */
export function declareReport(root: Command): void {
  withDatabase(root.command('report').argument('<batch>', 'its id'))
    .description('the reports that a batch left, as far as they were kept')
    .action(async (id: string, flags: DatabaseFlags) => {
      const { withSession } = await import('./session.js');
      process.exitCode = await withSession(flags.databaseUrl, async ({ database }) => {
        const { findBatch } = await import('../db/ledger/batches.js');
        const { requireLedger } = await import('../db/ledger/open.js');
        const { recordLines } = await import('./records-text.js');
        const { print, say, table } = await import('./terminal.js');
        await requireLedger(database);
        const { reports, record_summary: records } = await findBatch(database, id);
        const lines = records === null ? [] : recordLines(records);
        for (const line of flags.json === true ? [] : lines) print(line);
        if (flags.json === true) print(JSON.stringify(reports ?? []));
        else if ((reports ?? []).length === 0 && lines.length === 0) say(`batch ${id} left no report`);
        else
          for (const report of reports ?? []) {
            for (const line of [report.name, ...report.summary]) print(line);
            if (report.rows.length > 0) print(table(report.columns, report.rows, { indent: '  ' }));
            if (report.more > 0) print(`  … and ${report.more} more: see the log of the batch`);
          }
        return EXIT.done;
      });
    });
}
