import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { csvField } from '../../core/csv-text.js';
import { plural } from '../../core/plural.js';
import type { Report } from '../../core/report.js';
import type { Job } from '../job/job.js';

type Rows = readonly (readonly string[])[];

/** All rows of the reports of a run, in scratch files as they come: a report itself keeps some of them. */
export class ReportSpool {
  readonly #files = new Map<string, { readonly path: string; rows: number }>();

  constructor(private readonly folder: string) {
    if (!existsSync(folder)) mkdirSync(folder);
  }

  add(name: string, columns: readonly string[], rows: Rows): void {
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { path: join(this.folder, String(this.#files.size)), rows: 0 };
      this.#files.set(name, file);
      appendFileSync(file.path, lines([columns]), { mode: 0o600 });
    }
    appendFileSync(file.path, lines(rows));
    file.rows += rows.length;
  }

  /** The file of a report, with how many rows it has; undefined where none came. */
  of(name: string): { readonly path: string; readonly rows: number } | undefined {
    return this.#files.get(name);
  }
}

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
    if (reports.length < job.reports.length)
      events?.warn?.(
        'the reports hold values of the source, and --no-source-data keeps them out of files, too',
      );
    for (const report of reports) {
      const path = join(folder, fileName(report.name, taken));
      const { rows, lost } = await written(path, report, job.reportSpool);
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
  await writeFile(path, lines([columns, ...(whole === undefined ? rows : [])]), { flag: 'wx', mode: 0o600 });
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

const lines = (rows: Rows) => rows.map((row) => `${row.map((cell) => csvField(cell === '' ? null : cell)).join(',')}\n`).join('');
