import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import recipeSnapshots from '../../pipelines/recipe-snapshots/index.js';
import { FILES } from '../../samples/recipe-snapshots/generate.js';
import { givenInputs } from '../../src/cli/given/inputs.js';
import type { RolledBack } from '../../src/run/rollback/rolled-back.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { type TestDatabase, templateDatabase, testDatabase } from './database.js';
import { checksum, type Options, openDatabase, runOn } from './lots.js';

/** A file of the bakery sample. */
export const bakeryFile = (name: string) => readFile(new URL(name, FILES), 'utf8');

/** The path of the document that holds all tables. */
export const SAMPLE_JSON = fileURLToPath(new URL('sample_data.json', FILES));

/** A database with the bakery's schema, and its data unless `data` is false; `sql` is run after it. */
export async function bakery(
  t: TestContext,
  { data = true, sql = '' }: { readonly data?: boolean; readonly sql?: string } = {},
): Promise<TestDatabase> {
  const schema = await bakeryFile('schema.sql');
  const rows = data ? await bakeryFile('data.sql') : '';
  const template = await templateDatabase(
    data ? 'bakery' : 'bakery_empty',
    async (query) => {
      await query(schema);
      await query(`${rows}; ANALYZE`);
    },
    schema + rows,
  );
  const database = await testDatabase(t, { template });
  if (sql !== '') await database.query(sql);
  return database;
}

/** The inputs as `--source path` gives them. */
export const document = (path: string) => givenInputs(recipeSnapshots, { input: [], source: path });

/** Runs recipe-snapshots on a test's database in this process. */
export const runRecipes = (t: TestContext, database: TestDatabase, options: Options = {}) =>
  runOn(t, database, recipeSnapshots, options);

/** The JSON of a snapshot as the table has it, beside what the expected files name. */
export async function snapshots(database: TestDatabase): Promise<Record<string, unknown>[]> {
  return database.query(
    `SELECT s.id, s.recipe_id, s.production_run_id, s.scale_factor::text,
            CASE WHEN r.produced_at IS NULL THEN 'now' ELSE s.snapshot_date::text END AS snapshot_date,
            s.recipe_data, s.ingredients_data, s.is_backfilled::text
     FROM recipe_snapshots s JOIN production_runs r ON r.id = s.production_run_id
     WHERE s.is_backfilled ORDER BY s.id`,
  );
}

/** Checksums of all the bakery's tables. */
export async function bakeryContents(database: TestDatabase): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of ['recipes', 'ingredients', 'recipe_ingredients', 'production_runs', 'recipe_snapshots'])
    sums[table] = await checksum(database, `SELECT * FROM public.${table}`);
  return sums;
}

/** Rolls back in a session of its own, as a command does. */
export async function rollBack(
  t: TestContext,
  database: TestDatabase,
  batch: string | null,
  more: { readonly discardWrites?: boolean; readonly dryRun?: boolean } = {},
): Promise<RolledBack> {
  const opened = openDatabase(t, database);
  try {
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    return await rollbackBatch(batch ?? '', { database: opened, log, ...more });
  } finally {
    await opened.close();
  }
}
