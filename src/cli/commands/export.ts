import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { ExportFormat } from '../../../sinks/files/format.js';
import type { Packing } from '../../../sinks/files/packing.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { ExportPlace } from '../../export/export.js';
import type { ExportRequest } from '../../export/request.js';
import { type DatabaseFlags, wholeNumber, withDatabase } from '../given/flags.js';

interface ExportFlags extends DatabaseFlags {
  readonly query?: string;
  readonly columns?: string;
  readonly into?: string;
  readonly rowsPerFile?: number;
  readonly format?: ExportFormat;
  readonly compress?: Packing;
  readonly delimiter?: string;
  readonly null?: string;
  readonly header: boolean;
  readonly overwrite?: boolean;
}

/** `sluice export T…` */
export function declareExport(root: Command): void {
  withDatabase(root.command('export').argument('[tables...]', 'tables or views, as name or schema.name'))
    .description('write tables or a query to stdout or files: CSV, JSON Lines, Parquet, of one snapshot')
    .option('--query <sql>', 'the rows of this query, in its order')
    .option('--columns <a,b>', 'of a table: these columns, in this order')
    .option(
      '--into <file>',
      'a file, packed if it ends in .gz or .zst (%t: the table, %n: 001, 002, …), or a folder',
    )
    .option('--rows-per-file <N>', 'begin another file (%n) after so many rows', wholeNumber)
    .addOption(
      new Option('--format <format>', "default: what the file's name says, else csv").choices([
        'csv',
        'jsonl',
        'parquet',
      ]),
    )
    .addOption(new Option('--compress <how>', 'stdout: packed').choices(['gz', 'zst']))
    .option('--delimiter <char>', "CSV: between fields ('tab' for a tab)")
    .option('--null <text>', 'CSV: what stands for NULL (default: nothing at all)')
    .option('--no-header', 'CSV: without the line of column names')
    .option('--overwrite', 'write over files that are there already')
    .action(exportTables);
}

async function exportTables(tables: readonly string[], flags: ExportFlags): Promise<void> {
  const { withSession } = await import('../given/session.js');
  const { exportRows } = await import('../../export/export.js');
  const request = await requestOf(tables, flags);
  process.exitCode = await withSession(flags.databaseUrl, async ({ database, signal }) => {
    const { showProgress } = await import('../show/progress.js');
    const { lostOutput } = await import('../show/output.js');
    const { exportLines } = await import('../show/export.js');
    const { handedBytes, print, say } = await import('../show/terminal.js');
    const progress = await showProgress();
    const from = performance.now();
    const place: ExportPlace = {
      database,
      signal,
      async stdout(bytes) {
        await handedBytes(bytes);
        return lostOutput() === undefined;
      },
      progress: (rows, of) =>
        progress.progress?.({
          rows,
          ...(of === undefined ? {} : { done: Math.min(rows, of), of }),
          inputs: [],
        }),
      note: (text) => progress.note?.(text),
    };
    try {
      const exported = await exportRows(request, place);
      const seconds = (performance.now() - from) / 1000;
      progress.stop();
      // What keeps stdout from being written is told, and decides the exit code, as the command ends.
      if (exported.unread || lostOutput() !== undefined) return EXIT.done;
      say(...exportLines(exported, seconds));
      if (flags.json === true)
        print(JSON.stringify({ status: 'done', ...totals(exported.files), ...exported, seconds }));
      return EXIT.done;
    } finally {
      progress.stop();
    }
  });
}

const totals = (files: readonly { readonly rows: number; readonly bytes: number }[]) => ({
  rows: files.reduce((sum, { rows }) => sum + rows, 0),
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
});

async function requestOf(tables: readonly string[], flags: ExportFlags): Promise<ExportRequest> {
  const { exportErrors } = await import('../../core/errors/catalogue/export.js');
  const { settledFormat } = await import('../../export/request.js');
  const { parseList } = await import('../../copy/request.js');
  const {
    query,
    columns,
    into,
    rowsPerFile,
    format,
    compress,
    delimiter = ',',
    header,
    json,
    overwrite,
  } = flags;
  const pipeline = tables.find((table) => /\.[cm]?[jt]s$/.test(table) && existsSync(table));
  if (pipeline !== undefined) throw exportErrors.export_options.isPipeline({ path: pipeline });
  if (json === true && into === undefined) throw exportErrors.export_options.jsonOnStdout();
  const request: ExportRequest = {
    tables,
    ...(query === undefined ? {} : { query }),
    ...(columns === undefined ? {} : { columns: parseList('--columns', columns) }),
    ...(into === undefined ? {} : { into }),
    ...(rowsPerFile === undefined ? {} : { rowsPerFile }),
    ...(format === undefined ? {} : { format }),
    ...(compress === undefined ? {} : { packing: compress }),
    csv: {
      delimiter: delimiter === 'tab' || delimiter === '\\t' ? '\t' : delimiter,
      header,
      ...(flags.null === undefined ? {} : { nullText: flags.null }),
    },
    overwrite: overwrite === true,
  };
  const settled = settledFormat(request);
  if (
    into === undefined &&
    process.stdout.isTTY === true &&
    (settled === 'parquet' || compress !== undefined)
  )
    throw exportErrors.export_options.binaryOnTerminal({ what: compress ?? settled });
  return request;
}
