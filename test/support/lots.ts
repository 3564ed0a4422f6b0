import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import lotConsolidation from '../../pipelines/lot-consolidation/index.js';
import { FILES } from '../../samples/lot-consolidation/generate.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import { PgDatabase } from '../../src/db/connect.js';
import type { RunOptions } from '../../src/run/given/options.js';
import { type Ran, runPipeline } from '../../src/run/run.js';
import { type TestDatabase, templateDatabase, testDatabase } from './database.js';
import { into } from './said.js';

/** A file of the LOT sample. */
export const sample = (name: string) => readFile(new URL(name, FILES), 'utf8');

/** A database with the old LOT system's schema, and its data unless `data` is false; `sql` is run after it. */
export async function lotSystem(
  t: TestContext,
  { data = true, sql = '' }: { readonly data?: boolean; readonly sql?: string } = {},
): Promise<TestDatabase> {
  const schema = await sample('schema.sql');
  const rows = data ? await sample('data.sql') : '';
  const template = await templateDatabase(
    data ? 'lots' : 'lots_empty',
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

/** The product's own view of a test's database; closed with the test. */
export function openDatabase(t: TestContext, database: TestDatabase): PgDatabase {
  const opened = new PgDatabase({ url: database.url, described: database.name, from: 'the test' });
  t.after(() => opened.close());
  return opened;
}

/** Every message of a run's log, with what was told beside it. */
interface Logged {
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export type Options = Partial<Omit<RunOptions, 'database'>>;

/** A run in this process, and everything it told. */
export interface Told extends Ran {
  readonly logged: readonly Logged[];
  readonly said: readonly string[];
}

/** Runs `pipeline` on a test's database in this process. */
export async function runOn(
  t: TestContext,
  database: TestDatabase,
  pipeline: Pipeline,
  options: Options = {},
): Promise<Told> {
  const logged: Logged[] = [];
  const said: string[] = [];
  const at =
    (level: string) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      void logged.push({ level, message, facts });
  const opened = openDatabase(t, database);
  try {
    const ran = await runPipeline(pipeline, {
      log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
      events: { warn: into(said), ...options.events },
      ...options,
      database: opened,
    });
    return { ...ran, logged, said };
  } finally {
    await opened.close();
  }
}

/** Runs lot-consolidation on a test's database in this process; without a backup file unless told otherwise. */
export const runLots = (t: TestContext, database: TestDatabase, options: Options = {}) =>
  runOn(t, database, lotConsolidation, { ...options, settings: { backup: 'off', ...options.settings } });

/** A checksum of a query's rows, whatever their order. */
export async function checksum(database: TestDatabase, sql: string): Promise<string> {
  const [row] = await database.query<{ sum: string }>(
    `SELECT count(*) || ':' || coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C")), '') AS sum FROM (${sql}) t`,
  );
  return (row as { sum: string }).sum;
}

/** What the old LOT system holds, table by table. */
export async function contents(database: TestDatabase): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  for (const table of ['lots', 'serials', 'inspections'])
    sums[table] = await checksum(database, `SELECT * FROM public.${table}`);
  return sums;
}

/** Schemas, tables, views, triggers, constraints, indexes and grants: everything that a command could leave or lose. */
export async function catalog(database: TestDatabase, schemas = true): Promise<string[]> {
  const rows = await database.query<{ fact: string }>(`
    ${schemas ? "SELECT 'schema ' || nspname AS fact FROM pg_namespace WHERE nspname !~ '^pg_' UNION ALL" : ''}
    SELECT concat_ws(' ', 'relation', c.relkind, c.relname, c.relacl::text, c.reloptions::text) AS fact FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace UNION ALL
    SELECT concat_ws(' ', 'view', c.relname, pg_get_viewdef(c.oid)) FROM pg_class c
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v' UNION ALL
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' UNION ALL
    SELECT concat_ws(' ', 'index', indexdef) FROM pg_indexes WHERE schemaname = 'public' UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(t.oid)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
      WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
    ORDER BY 1`);
  return rows.map((row) => row.fact);
}

/** The schemas of the database that Sluice has made, but for the ledger. */
export async function leftSchemas(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^sluice_' ORDER BY 1",
  );
  return rows.map((row) => row.name);
}

/** The triggers of write guards that are still there. */
export async function leftGuards(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT tgname AS name FROM pg_trigger WHERE tgname ~ 'sluice' ORDER BY 1",
  );
  return rows.map((row) => row.name);
}

/** The lots table and the serials table as the files in expected/ have them. */
export async function asExpected(database: TestDatabase): Promise<{ lots: string; serials: string }> {
  const csv = async (sql: string) => {
    const client = await database.connect({
      types: { getTypeParser: () => (text: string) => text } as never,
    });
    const { fields, rows } = await client.query(sql);
    await client.end();
    const head = fields.map((field) => field.name);
    return [head, ...rows.map((row) => head.map((name) => row[name] ?? ''))]
      .map((line) => `${line.join(',')}\n`)
      .join('');
  };
  return {
    lots: await csv(
      'SELECT id, lot_number, production_line_id, product_model_id, production_month, status, target_quantity FROM public.lots ORDER BY id',
    ),
    serials: await csv('SELECT id, lot_id, serial_number FROM public.serials ORDER BY id'),
  };
}

/** The export of the old system, as export.sql gives it: a header, and a line for each serial. */
export async function exported(database: TestDatabase): Promise<string[]> {
  const client = await database.connect({ types: { getTypeParser: () => (text: string) => text } as never });
  await client.query("SET TimeZone = 'UTC'");
  const { fields, rows } = await client.query(await sample('export.sql'));
  await client.end();
  const head = fields.map((field) => field.name);
  return [head, ...rows.map((row) => head.map((name) => row[name] ?? ''))].map((line) => line.join(','));
}
