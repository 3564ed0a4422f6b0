import type { Client } from 'pg';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import type { Pipeline } from '../../src/core/pipeline.js';
import { append, merge, patch, replace, sync, type Target } from '../../src/core/target.js';
import type { PgDatabase } from '../../src/db/connect.js';
import { ident, idents } from '../../src/db/quote.js';
import { checkPipeline } from '../../src/run/check.js';
import { dropLeftover, findLeftovers } from '../../src/run/maintain/cleanup.js';
import { rollbackBatch } from '../../src/run/rollback.js';
import { runPipeline } from '../../src/run/run.js';
import { query } from '../../src/sources/postgres/index.js';
import { loads } from './engine.js';
import { changed, FACTS } from './facts.js';
import { seedRows } from './seed-rows.js';

export const MODES = ['replace', 'append', 'merge', 'patch', 'sync'] as const;
export type Mode = (typeof MODES)[number];

/** What became of one table in one mode. */
export interface Outcome {
  readonly table: string;
  readonly mode: Mode;
  /**
   * identical: published and rolled back, each with the catalog as before. refused: by the check, before anything was
   * made. late: the check had nothing against it, and the run refused or failed. skipped: nothing of the kind can be
   * done to the table (no key, no row).
   */
  readonly what:
    | 'identical'
    | 'differs'
    | 'rollback differs'
    | 'refused'
    | 'late'
    | 'rollback failed'
    | 'skipped';
  readonly details: readonly string[];
}

interface Column {
  readonly name: string;
  readonly key: boolean;
  readonly nullable: boolean;
}

interface Found {
  readonly schema: string;
  readonly table: string;
  readonly at: string;
  /** As a FROM item with the table's own rows. */
  readonly rows: string;
  readonly columns: readonly Column[];
  /** SQL that finds the rows to which no other one refers, over `t`. */
  readonly free: string;
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const TABLES = `
SELECT n.nspname AS schema, c.relname AS table, format('%I.%I', n.nspname, c.relname) AS at,
  CASE c.relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || format('%I.%I', n.nspname, c.relname) AS rows,
  (SELECT coalesce(json_agg(json_build_object('name', a.attname, 'nullable', NOT a.attnotnull,
      'key', coalesce(a.attnum = ANY (i.indkey::int2[]), false)) ORDER BY a.attnum), '[]') FROM pg_attribute a
    LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
  (SELECT coalesce(string_agg(format('NOT EXISTS (SELECT FROM %I.%I k WHERE %s)', kn.nspname, kc.relname,
      (SELECT string_agg(format('k.%I = t.%I', ka.attname, pa.attname), ' AND ') FROM unnest(k.conkey, k.confkey) x(m, p)
        JOIN pg_attribute ka ON ka.attrelid = k.conrelid AND ka.attnum = x.m
        JOIN pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = x.p)), ' AND '), 'true')
    FROM pg_constraint k JOIN pg_class kc ON kc.oid = k.conrelid JOIN pg_namespace kn ON kn.oid = kc.relnamespace
    WHERE k.contype = 'f' AND k.confrelid = c.oid) AS free
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|sluice)' AND n.nspname <> 'information_schema' ORDER BY 1, 2`;

/**
 * Takes every table of a database through the modes, one after the other: a row is taken out of it (or, for a patch,
 * a column of it emptied), all of its rows are loaded as they were, the catalog is compared, the batch rolled back and
 * the catalog compared again. At the end of each the table has its rows as before. Empty tables are seeded first.
 * `session` is a superuser's and is kept busy.
 */
export async function* eachTable(
  database: PgDatabase,
  session: Client,
  { modes = MODES, only }: { readonly modes?: readonly Mode[]; readonly only?: RegExp } = {},
): AsyncGenerator<Outcome> {
  await session.query("SET session_replication_role = replica; SET search_path = ''; SET row_security = off");
  await seedRows(session);
  const { rows: tables } = await session.query<Found>(TABLES);
  let facts = await factsIn(session);
  for (const found of tables) {
    const name = `${found.schema}.${found.table}`;
    if (only !== undefined && !only.test(name)) continue;
    for (const mode of modes) {
      const outcome = await oneTable(database, session, found, mode, facts);
      if (!['skipped', 'refused', 'identical'].includes(outcome.what)) facts = await factsIn(session);
      yield { table: name, mode, ...outcome };
    }
  }
}

type Judged = Pick<Outcome, 'what' | 'details'>;

/** What the loads read: all of the table's rows, and the one that it lacks meanwhile. */
const KEPT = 'sluice_each_table.kept';
const MISSING = 'sluice_each_table.missing';

async function oneTable(
  database: PgDatabase,
  session: Client,
  found: Found,
  mode: Mode,
  before: readonly string[],
): Promise<Judged> {
  const columns = idents(found.columns.map(({ name }) => name));
  if (columns === '') return { what: 'skipped', details: ['no column can be loaded'] };
  await session.query(
    `CREATE SCHEMA sluice_each_table; CREATE TABLE ${KEPT} AS SELECT ${columns} FROM ${found.rows}`,
  );
  try {
    const of = await makeRoom(session, found, mode, columns);
    if (of !== undefined) return await publishAndBack(database, session, of, before);
    const nothing = {
      what: 'skipped',
      details: ['no key, or no row or value that could be missing'],
    } as const;
    if (mode !== 'replace') return nothing;
    const refusals = await refusalsOf(
      database,
      loads({ it: [replace(`${found.schema}.${found.table}`), []] }),
    );
    return refusals.length === 0 ? nothing : { what: 'refused', details: refusals };
  } finally {
    await session.query(
      `BEGIN; DELETE FROM ${found.rows}; INSERT INTO ${found.at} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${KEPT}; DROP SCHEMA sluice_each_table CASCADE; COMMIT`,
    );
  }
}

/** Takes a row or a value out of the table, and returns what brings it back; undefined where nothing can be taken. */
async function makeRoom(
  session: Client,
  found: Found,
  mode: Mode,
  columns: string,
): Promise<Pipeline | undefined> {
  const name = `${found.schema}.${found.table}`;
  const all = found.columns.map((column) => column.name);
  const key = found.columns.filter((column) => column.key).map((column) => column.name);
  if (!['replace', 'append'].includes(mode) && key.length === 0) return undefined;
  const inMode = {
    replace: () => replace(name, { columns: all }),
    merge: () => merge(name, { columns: all, key }),
    sync: () => sync(name, { columns: all, key }),
  };
  const loaded = (target: Target<string>, sql: string) => loads({ it: [target, query(sql)] });
  const whole = `SELECT ${columns} FROM ${KEPT}`;
  if (mode !== 'patch' && (await takeRow(session, found, columns))) {
    if (mode === 'append') return loaded(append(name, { columns: all }), `SELECT ${columns} FROM ${MISSING}`);
    return loaded(inMode[mode](), whole);
  }
  if (mode === 'append') return undefined;
  for (const { name: column } of found.columns.filter((each) => !each.key && each.nullable)) {
    const emptied = await session
      .query(`UPDATE ${found.rows} SET ${ident(column)} = NULL WHERE ${ident(column)} IS NOT NULL`)
      .catch(() => undefined);
    if (!emptied?.rowCount) continue;
    if (mode !== 'patch') return loaded(inMode[mode](), whole);
    const some = [...key, column];
    return loaded(patch(name, { columns: some, key }), `SELECT ${idents(some)} FROM ${KEPT}`);
  }
  if (mode !== 'replace') return undefined;
  // Where nothing can be taken out, as many rows come as there are, of a table without a key.
  return key.length === 0 ? loaded(replace(name, { columns: all }), whole) : undefined;
}

async function takeRow(session: Client, found: Found, columns: string): Promise<boolean> {
  await session.query(
    `CREATE TABLE ${MISSING} AS SELECT ${columns}, tableoid AS sluice_table, ctid AS sluice_row FROM ${found.rows} t WHERE ${found.free} LIMIT 1`,
  );
  const { rowCount } = await session.query(
    `DELETE FROM ${found.rows} t USING ${MISSING} m WHERE t.tableoid = m.sluice_table AND t.ctid = m.sluice_row`,
  );
  return (rowCount ?? 0) > 0;
}

async function publishAndBack(
  database: PgDatabase,
  session: Client,
  of: Pipeline,
  before: readonly string[],
): Promise<Judged> {
  let checked = false;
  const confirm = async () => {
    checked = true;
    return true;
  };
  let batch: string | null;
  try {
    const { summary } = await runPipeline(of, {
      database,
      log: quiet,
      allowEmpty: true,
      maxShrink: 100,
      confirm,
    });
    if (summary.status !== 'completed') return { what: 'skipped', details: [summary.status] };
    batch = summary.batch;
  } catch (error) {
    return { what: checked ? 'late' : 'refused', details: said(error) };
  }
  const published = changed(before, await factsIn(session));
  try {
    await rollbackBatch(batch as string, { database, log: quiet });
  } catch (error) {
    return { what: 'rollback failed', details: said(error) };
  }
  for (const leftover of await findLeftovers(database, 0)) await dropLeftover(database, leftover);
  if (published.length > 0) return { what: 'differs', details: published };
  const back = changed(before, await factsIn(session));
  return back.length > 0 ? { what: 'rollback differs', details: back } : { what: 'identical', details: [] };
}

async function refusalsOf(database: PgDatabase, of: Pipeline): Promise<string[]> {
  const { findings } = await checkPipeline(of, { database, log: quiet });
  return findings.filter(({ finding }) => finding.severity === 'error').map(({ finding }) => finding.message);
}

function said(error: unknown): string[] {
  if (!(error instanceof SluiceError)) throw error;
  return [`${error.code}: ${error.message}`, ...(error.facts.details ?? [])];
}

async function factsIn(session: Client): Promise<string[]> {
  return (await session.query<{ line: string }>(FACTS)).rows.map((row) => row.line);
}

/** How many tables ended how, by mode, and everything but what went well. */
export function tally(outcomes: readonly Outcome[]): { counts: Record<string, number>; faults: string[] } {
  const counts: Record<string, number> = {};
  for (const { mode, what } of outcomes) counts[`${mode} ${what}`] = (counts[`${mode} ${what}`] ?? 0) + 1;
  const faults = outcomes
    .filter(({ what }) => !['identical', 'refused', 'skipped'].includes(what))
    .map(({ table, mode, what, details }) => [`${table} ${mode}: ${what}`, ...details].join('\n    '));
  return { counts, faults };
}
