import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import tasksToOperations from '../../pipelines/tasks-to-operations/index.js';
import { FILES } from '../../samples/tasks-to-operations/generate.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { type TestDatabase, templateDatabase, testDatabase } from './database.js';
import { checksum, type Options, openDatabase, runOn } from './lots.js';
import { into } from './said.js';

/** A file of the machine shop sample. */
export const machining = (name: string) => readFile(new URL(name, FILES), 'utf8');

/** What must be there before the sample's own files are run. */
export interface Shop {
  /** The sample's rows; default true. */
  readonly data?: boolean;
  /** The new tables, empty; default false. */
  readonly newTables?: boolean;
  /** Run at the end. */
  readonly sql?: string;
}

/** A database with the old machine shop. */
export async function machineShop(
  t: TestContext,
  { data = true, newTables = false, sql = '' }: Shop = {},
): Promise<TestDatabase> {
  const parts = [
    await machining('schema.sql'),
    data ? await machining('data.sql') : '',
    newTables ? await machining('new-tables.sql') : '',
  ];
  const template = await templateDatabase(
    `shop_${data ? 'data' : 'empty'}${newTables ? '_new' : ''}`,
    async (query) => {
      for (const part of parts) if (part !== '') await query(part);
    },
    parts.join('\n'),
  );
  const database = await testDatabase(t, { template });
  if (sql !== '') await database.query(sql);
  return database;
}

/** Runs tasks-to-operations on a test's database in this process. */
export const runTasks = (t: TestContext, database: TestDatabase, options: Options = {}) =>
  runOn(t, database, tasksToOperations, options);

/** Rolls a batch back in this process; what it told beside. */
export async function undo(t: TestContext, database: TestDatabase, batch: string) {
  const notes: string[] = [];
  const opened = openDatabase(t, database);
  try {
    const undone = await rollbackBatch(batch, {
      database: opened,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      events: { note: into(notes), warn: into(notes) },
    });
    return { ...undone, notes };
  } finally {
    await opened.close();
  }
}

const TABLES = [
  ...['auth_user', 'django_content_type', 'machines_machine', 'machining_task', 'tasks_timer'],
  ...['machining_jobcostagg', 'machining_jobcostagguser'],
  ...['tasks_part', 'tasks_operation', 'tasks_partcostagg', 'tasks_partcostagguser'],
] as const;

/** A checksum of every table of the machine shop; `missing` for those that are not there. */
export async function shopContents(database: TestDatabase): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of TABLES) {
    const [found] = await database.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
      table,
    ]);
    sums[table] = found?.there === true ? await checksum(database, `SELECT * FROM ${table}`) : 'missing';
  }
  return sums;
}

/** The results of the statements in `sql` as CSV files with headers; NULL is empty, empty text `""`. */
export async function asCsv(database: TestDatabase, sql: string): Promise<string[]> {
  const client = await database.connect({ types: { getTypeParser: () => (text: string) => text } as never });
  await client.query("SET TimeZone = 'UTC'");
  const results = [await client.query(sql)].flat();
  await client.end();
  return results.map(({ fields, rows }) => {
    const names = fields.map(({ name }) => name);
    const lines = rows.map((row) => names.map((name) => field(row[name])).join(','));
    return [names.join(','), ...lines, ''].join('\n');
  });
}

const field = (value: string | null) =>
  value === null ? '' : /[",\n]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value;
