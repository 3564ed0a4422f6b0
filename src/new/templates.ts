import type { Files, Wanted } from './project.js';
import { copyProject } from './templates/copy.js';
import { csvProject } from './templates/csv.js';
import { queryProject } from './templates/query.js';
import { sqliteProject } from './templates/sqlite.js';

/** What a project may read. */
export const TEMPLATES = {
  csv: 'a CSV file, through stages of your own, into a table',
  query: 'tables of an old system in PostgreSQL, by a query',
  sqlite: 'the SQLite file of an application',
  copy: 'files into a table with one command, and no pipeline',
} as const;

export type Template = keyof typeof TEMPLATES;

/** Templates that are made of a sample of rows. */
export const OF_ROWS: ReadonlySet<Template> = new Set(['csv', 'copy']);

/** The files of a project. */
export async function filesOf(template: Template, wanted: Wanted): Promise<Files> {
  switch (template) {
    case 'csv':
      return csvProject(wanted);
    case 'query':
      return queryProject(wanted);
    case 'sqlite':
      return sqliteProject(wanted);
    case 'copy':
      return copyProject(wanted);
  }
}
