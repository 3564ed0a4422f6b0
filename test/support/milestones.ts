import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import milestonesToSections from '../../pipelines/milestones-to-sections/index.js';
import { makeSqlite, sampleFile } from '../../samples/milestones-to-sections/sqlite.js';
import type { Source } from '../../src/core/types.js';
import { type TestDatabase, templateDatabase, testDatabase } from './database.js';
import { type Options, runOn, type Told } from './lots.js';

/** A date at which the sample's dashboard has something overdue and something due soon. */
export const AS_OF = '2025-06-10';

/** A database with the new tables, and with the old system's where `old` is not false; `sql` is run after it. */
export async function milestoneSystem(
  t: TestContext,
  { old = true, sql = '' }: { readonly old?: boolean; readonly sql?: string } = {},
): Promise<TestDatabase> {
  const files = old ? ['old/schema.postgres.sql', 'old/data.sql', 'new/schema.sql'] : ['new/schema.sql'];
  const text = (await Promise.all(files.map(sampleFile))).join('\n');
  const template = await templateDatabase(
    old ? 'milestones' : 'sections',
    async (query) => void (await query(text)),
    text,
  );
  const database = await testDatabase(t, { template });
  if (sql !== '') await database.query(sql);
  return database;
}

/** The sample's old system as an SQLite file, with the statements of `more` run on it. Gone with the test. */
export async function milestoneFile(t: TestContext, more: readonly string[] = []): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-milestones-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'old.db');
  await makeSqlite(path, more);
  return path;
}

/** All inputs of the pipeline out of the SQLite file at `path`. */
export function fromFile(path: string): Record<string, Source> {
  return Object.fromEntries(
    Object.entries(milestonesToSections.inputs).map(([name, source]) => [
      name,
      (source.fromSqlite as (path: string) => Source)(path),
    ]),
  );
}

/** Runs milestones-to-sections on a test's database in this process. */
export const runMilestones = (t: TestContext, database: TestDatabase, options: Options = {}): Promise<Told> =>
  runOn(t, database, milestonesToSections, {
    from: 'milestones-to-sections',
    ...options,
    settings: { as_of: AS_OF, ...options.settings },
  });

/** The new tables, as rows of text in the order of their keys. */
export async function newTables(database: TestDatabase): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const { table } of Object.values(milestonesToSections.tables)) {
    const rows = await database.query<{ row: string }>(
      `SELECT t::text AS row FROM ${table} t ORDER BY t::text COLLATE "C"`,
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}
