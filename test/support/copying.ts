import type { TestContext } from 'node:test';
import { type Ended, sluice } from './cli.js';
import { type TestDatabase, testDatabase } from './database.js';
import { tempFolder } from './files.js';

/** A database, a folder, and `sluice copy` in both. */
export interface Copying {
  readonly database: TestDatabase;
  readonly cwd: string;
  /** `sluice copy … --yes` */
  copy(...args: readonly string[]): Promise<Ended>;
  command(...args: readonly string[]): Promise<Ended>;
  /** Columns with their types, in their order. */
  typesOf(table: string): Promise<Record<string, string>>;
  /** Rows as PostgreSQL writes them, in the order of their text. */
  rowsOf(table: string): Promise<string[]>;
}

export async function copying(t: TestContext, tables = ''): Promise<Copying> {
  const database = await testDatabase(t);
  if (tables !== '') await database.query(tables);
  const cwd = tempFolder(t);
  const command = (...args: readonly string[]) =>
    sluice([...args, '--database-url', database.url], { cwd, env: { NO_COLOR: '1' } });
  return {
    database,
    cwd,
    command,
    copy: (...args) => command('copy', ...args, '--yes'),
    async typesOf(table) {
      const columns = await database.query<{ name: string; type: string }>(
        `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
        [table],
      );
      return Object.fromEntries(columns.map(({ name, type }) => [name, type]));
    },
    async rowsOf(table) {
      const rows = await database.query<{ row: string }>(`SELECT t::text AS row FROM ${table} t ORDER BY 1`);
      return rows.map(({ row }) => row);
    },
  };
}
