import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { csvField } from '../../core/csv-text.js';

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
      appendFileSync(file.path, reportLines([columns]), { mode: 0o600 });
    }
    appendFileSync(file.path, reportLines(rows));
    file.rows += rows.length;
  }

  /** The file of a report, with how many rows it has; undefined where none came. */
  of(name: string): { readonly path: string; readonly rows: number } | undefined {
    return this.#files.get(name);
  }
}

/** Rows of a report as lines of CSV. */
export const reportLines = (rows: Rows): string =>
  rows.map((row) => `${row.map((cell) => csvField(cell === '' ? null : cell)).join(',')}\n`).join('');
