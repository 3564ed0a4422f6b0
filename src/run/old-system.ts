import type { Client } from 'pg';
import type { FigureRow, OldSystem } from '../core/assessment.js';
import { usage } from '../core/errors.js';
import { again } from '../core/next.js';
import type { Run } from '../core/run.js';
import type { DateUnit, Source } from '../core/types.js';
import { ident, literal, qualified } from '../db/quote.js';
import { rowSecurityError } from '../db/row-security.js';
import { readings, type TableName } from '../db/table-name.js';
import { SqliteFile } from '../sources/sqlite/database.js';
import { decideDates, millisecondsSql } from '../sources/sqlite/dates.js';
import { textOf } from '../sources/sqlite/values.js';

/** What asking the old system needs of a run. */
type Around = Pick<Run, 'database' | 'share' | 'scratch' | 'signal'>;

/**
 * The system that these inputs come from: the SQLite file that they name, else the database. A file is seen in one
 * state; so is the database where `held`, by a transaction that goes on as long as the run shares it. Not held, every
 * query is on its own, and no lock or snapshot outlives it: so within a run, which is to lock the tables itself. Throws
 * usage `two_files` where inputs name several SQLite files, `no_file` where one is to be named.
 */
export async function oldSystem(
  inputs: Readonly<Record<string, Source>>,
  run: Around,
  held = false,
): Promise<OldSystem> {
  const path = sqlitePath(inputs);
  return path === undefined ? inPostgres(run, held) : inSqlite(path, run, inputs);
}

/** The SQLite file that the inputs name, if any. Throws as `oldSystem`. */
export function sqlitePath(inputs: Readonly<Record<string, Source>>): string | undefined {
  const old = Object.values(inputs).filter((source) => source.kind === 'sqlite');
  const paths = [...new Set(old.flatMap((source) => source.path ?? []))];
  if (old.length > 0 && paths.length === 0)
    throw usage('no_file', 'the old system is an SQLite file, and none was named', {
      state: 'nothing was read or written',
      next: again({ flags: { source: 'app.db' } }, { lead: 'name it' }),
    });
  if (paths.length > 1)
    throw usage('two_files', `the inputs name ${paths.length} SQLite files: ${paths.join(', ')}`, {
      next: paths.map((path) => again({ drop: ['input'], flags: { source: path } })),
    });
  return paths[0];
}

/** True where the inputs are files that took the place of the old system: then there is none to be asked. */
export function fromFiles(inputs: Readonly<Record<string, Source>>): boolean {
  return Object.values(inputs).some(({ kind }) => kind === 'file' || kind === 'stdin');
}

async function inSqlite(
  path: string,
  run: Around,
  inputs: Readonly<Record<string, Source>>,
): Promise<OldSystem> {
  const file = await SqliteFile.shared(path, run);
  return {
    kind: 'sqlite',
    name: path,
    query: async (sql) =>
      (await file.all(sql)).map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, textOf(cell)])),
      ),
    table: ident,
    column: ident,
    moment: async (table, column, as, unit) => {
      const input = Object.values(inputs).find(
        ({ dates }) => dates?.table === table && Object.hasOwn(dates.units, column),
      );
      const told = unit ?? input?.dates?.units[column];
      const { units } =
        told === undefined
          ? await decideDates(file, table, `SELECT * FROM ${ident(table)}`, [column], run)
          : { units: new Map([[column, told]]) };
      return millisecondsSql(qualifiedBy(as, column), units.get(column) as DateUnit);
    },
  };
}

async function inPostgres(run: Around, held: boolean): Promise<OldSystem> {
  const ask = async (sql: string) => {
    const client = held
      ? await run.share(
          'old system',
          () => openSession(run, true),
          (open) => open.end(),
        )
      : await openSession(run, false);
    try {
      return await client.query<Figures>({ text: sql, rowMode: 'array', types: AS_TEXT });
    } catch (error) {
      throw await rowSecurityError(error, (...asked) => run.database.query(...asked));
    } finally {
      if (!held) await client.end();
    }
  };
  const query: OldSystem['query'] = async (sql) => {
    const { rows, fields } = await ask(sql);
    return rows.map((row) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i] ?? null])));
  };
  const [current] = await query('SELECT current_database() AS name');
  return {
    kind: 'postgres',
    name: `the database ${current?.name ?? ''}`.trim(),
    query,
    table: (name) => {
      const [{ schema, table }] = readings(name) as [TableName];
      return schema === null ? ident(table) : qualified(schema, table);
    },
    column: ident,
    moment: async (_, column, as) => qualifiedBy(as, column),
  };
}

const qualifiedBy = (as: string | undefined, column: string) =>
  as === undefined ? ident(column) : `${ident(as)}.${ident(column)}`;

type Figures = (string | null)[];

/** Every value as the server writes it. */
const AS_TEXT = { getTypeParser: () => (text: string | Buffer) => text };

async function openSession({ database }: Around, held: boolean): Promise<Client> {
  const client = await database.connect('assess');
  // Every query reports a lost connection itself.
  client.on('error', () => {});
  await client.query(
    [
      ...(held
        ? ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', 'SET idle_in_transaction_session_timeout = 0']
        : ['SET default_transaction_read_only = on']),
      "SET TimeZone = 'UTC'",
      "SET DateStyle = 'ISO, YMD'",
    ].join('; '),
  );
  return client;
}

/** How many rows a table has; undefined where there is no such table. */
export async function rowsOf(system: OldSystem, table: string): Promise<number | undefined> {
  if (!(await isThere(system, table))) return undefined;
  const [row] = await system.query(`SELECT count(*) AS n FROM ${system.table(table)}`);
  return Number((row as FigureRow).n);
}

async function isThere(system: OldSystem, table: string): Promise<boolean> {
  const [row] = await system.query(
    system.kind === 'sqlite'
      ? `SELECT count(*) AS n FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ${literal(table)}`
      : `SELECT count(to_regclass(${literal(system.table(table))})) AS n`,
  );
  return (row as FigureRow).n !== '0';
}
