import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { plural } from '../../core/plural.js';
import type { Report } from '../../core/report.js';
import type { Job } from '../job/job.js';
import { type ReportSpool, reportLines } from '../job/report-spool.js';

/**
 * Writes the reports of a run into files, where that is wanted, and says what is in them. Does not throw: an error of
 * theirs must not hide the run's.
 */
export async function writeReports(job: Job): Promise<void> {
  const { reportsInto: folder, events } = job.options;
  if (folder === undefined) return;
  const taken = new Set<string>();
  try {
    const reports = job.keptReports;
    if (reports.length < job.state.reports.length)
      events?.warn?.(
        'the reports hold values of the source, and --no-source-data keeps them out of files, too',
      );
    for (const report of reports) {
      const path = join(folder, fileName(report.name, taken));
      const { rows, lost } = await written(path, report, job.state.reportSpool);
      const without = lost === 0 ? '' : `; ${plural(lost, 'row')} were not kept by the attempt that made it`;
      events?.note?.(`${plural(rows, 'row')} of the report ${report.name} in ${path}${without}`);
    }
  } catch (error) {
    events?.warn?.(`the reports could not be written to files: ${(error as Error).message}`);
  }
}

/** Writes one, new and readable by its owner alone. */
async function written(path: string, report: Report, spool: ReportSpool | undefined) {
  const { name, columns, rows, more } = report;
  const whole = spool?.of(name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, reportLines([columns, ...(whole === undefined ? rows : [])]), {
    flag: 'wx',
    mode: 0o600,
  });
  if (whole === undefined) return { rows: rows.length, lost: more };
  await copyFile(whole.path, path);
  return { rows: whole.rows, lost: 0 };
}

function fileName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '') || 'report';
  let free = plain;
  for (let n = 2; taken.has(free); n++) free = `${plain}-${n}`;
  taken.add(free);
  return `${free}.csv`;
}
