import { type FigureRow, type OldSystem, spelled } from '../core/assessment.js';
import { sqliteErrors } from '../core/errors/catalogue/sqlite.js';
import type { Run } from '../core/run.js';
import type { DateUnit, Source } from '../core/types.js';
import { columnBases } from '../db/catalog/column-sql.js';
import { ownOperator } from '../db/catalog/own-operator.js';
import { driverClient } from '../db/driver.js';
import { ident, literal, qualified } from '../db/quote.js';
import { rowSecurityError } from '../db/row-security.js';
import { readings, type TableName } from '../db/table-name.js';
import { OUR_PATH_STATEMENT, ourDatabase, pathStatement } from '../db/users-path.js';
import { type QuestionSession, Questions } from './questions.js';
import { SqliteFile } from './sqlite/database.js';
import { decideDates, millisecondsSql } from './sqlite/dates.js';
import { textOf } from './sqlite/values.js';

/** How long a session waits for the next question: they come one after the other, and a load is to have the session. */
const LINGER_MS = 250;

/** What asking the old system needs of a run. */
type Around = Pick<Run, 'database' | 'share' | 'scratch' | 'signal'>;

/**
 * The system that these inputs come from: the SQLite file that they name, else the database. A file is seen in one
 * state; so is the database where `held`, by a transaction that goes on as long as the run shares it. Not held, every
 * query is a transaction of its own, and no lock or snapshot outlives it: so within a run, which is to lock the tables itself. Throws
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
  if (old.length > 0 && paths.length === 0) throw sqliteErrors.no_file.ofOldSystem();
  if (paths.length > 1) throw sqliteErrors.two_files({ paths });
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
    operator: async (_table, _column, name) => name,
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

/** The database as a system that is asked, whatever the inputs are; `held` as for `oldSystem`. */
export const databaseSystem = (run: Around, held: boolean): Promise<OldSystem> => inPostgres(run, held);

async function inPostgres(run: Around, held: boolean): Promise<OldSystem> {
  const ask = async (sql: string, ours = false) => {
    const questions = await run.share(
      held ? 'old system' : 'old system, unheld',
      async () => new Questions(() => openSession(run, held), held ? undefined : LINGER_MS),
      (shared) => shared.end(),
    );
    try {
      return await questions.ask(async ({ client, usersPath }) => {
        const text = ours ? `${OUR_PATH_STATEMENT}; ${sql}; ${usersPath}` : sql;
        const answer = await client.query<Figures>({ text, rowMode: 'array', types: AS_TEXT });
        return ours ? ((answer as unknown as (typeof answer)[])[1] as typeof answer) : answer;
      });
    } catch (error) {
      throw await rowSecurityError(error, (...asked) => ourDatabase(run.database).query(...asked));
    }
  };
  const asking =
    (ours: boolean): OldSystem['query'] =>
    async (sql) => {
      const { rows, fields } = await ask(sql, ours);
      return rows.map((row) => Object.fromEntries(fields.map(({ name }, i) => [name, row[i] ?? null])));
    };
  const query = asking(false);
  const [current] = await query('SELECT pg_catalog.current_database() AS name');
  const system: OldSystem = {
    kind: 'postgres',
    name: `the database ${current?.name ?? ''}`.trim(),
    query,
    table: (name) => {
      const [{ schema, table }] = readings(name) as [TableName];
      return schema === null ? ident(table) : qualified(schema, table);
    },
    column: ident,
    moment: async (table, column, as) => {
      const value = qualifiedBy(as, column);
      return (await isText(system, table, column)) ? momentOfText(value) : value;
    },
    operator: async (table, column, name, of) => {
      if (of === 'moment' && (await isText(system, table, column))) return `OPERATOR(pg_catalog.${name})`;
      const [found] = await catalogOf(system, table, (oid) => operatorSql(oid, column, name));
      return found?.operator ?? `OPERATOR(pg_catalog.${name})`;
    },
  };
  behind.set(system, asking(true));
  return system;
}

/** How a system is asked along our search_path. */
const behind = new WeakMap<OldSystem, OldSystem['query']>();

/**
 * The rows of a statement of ours on the catalog of an old system in PostgreSQL, along our search_path, so that all that
 * it prints has its schema: `sql` makes it, of the OID of what the user calls `table` (NULL where there is no such).
 */
export async function catalogOf(
  system: OldSystem,
  table: string,
  sql: (oid: string) => string,
): Promise<FigureRow[]> {
  const ask = behind.get(system) ?? system.query;
  const [found] = await system.query(
    `SELECT pg_catalog.to_regclass(${literal(system.table(table))})::pg_catalog.oid AS oid`,
  );
  return ask(sql(found?.oid == null ? 'NULL::pg_catalog.oid' : `'${found.oid}'::pg_catalog.oid`));
}

const operatorSql = (oid: string, column: string, name: '=' | '<') => `
WITH RECURSIVE ${columnBases(`a.attrelid = ${oid} AND a.attname = ${literal(column)}`)}
SELECT ${ownOperator('b', name)} AS operator FROM base b`;

/** Whether the old system keeps a column as text, a domain's base counted. */
async function isText(system: OldSystem, table: string, column: string): Promise<boolean> {
  const [found] = await catalogOf(
    system,
    table,
    (oid) => `SELECT t.typcategory AS category FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid WHERE a.attrelid = ${oid} AND a.attname = ${literal(column)}`,
  );
  return found?.category === 'S';
}

/** A date with or without a time of day. */
const ISO_MOMENT =
  '^(?!0000)\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])([ T]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?)?Z?$';

/**
 * A text as a timestamp, NULL where the calendar lacks it: a cast of 2024-02-30 would end the whole question. The CASE
 * keeps the server from casting what does not fit; PostgreSQL 15 cannot be asked whether a text does.
 */
function momentOfText(value: string): string {
  const text = `${value}::pg_catalog.text`;
  const month = `(pg_catalog.substr(${text}, 1, 7) OPERATOR(pg_catalog.||) '-01')::pg_catalog.date`;
  const lastDay = `pg_catalog.date_part('day', ${month} OPERATOR(pg_catalog.+) INTERVAL '1 month - 1 day')::pg_catalog.int4`;
  const day = `pg_catalog.substr(${text}, 9, 2)::pg_catalog.int4`;
  const moment = `pg_catalog.rtrim(${text}, 'Z')::pg_catalog.timestamp`;
  return `CASE WHEN ${text} OPERATOR(pg_catalog.~) ${literal(ISO_MOMENT)} THEN
    CASE WHEN (${day}) OPERATOR(pg_catalog.<=) (${lastDay}) THEN ${moment} END END`;
}

const qualifiedBy = (as: string | undefined, column: string) =>
  as === undefined ? ident(column) : `${ident(as)}.${ident(column)}`;

type Figures = (string | null)[];

/** Every value as the server writes it. */
const AS_TEXT = { getTypeParser: () => (text: string | Buffer) => text };

/** A session along the user's search_path, and the statement that gives it that again. */
async function openSession({ database }: Around, held: boolean): Promise<QuestionSession> {
  const client = await driverClient(database.connect('assess'));
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
  const { rows } = await client.query<{ search_path: string }>('SHOW search_path');
  return { client, usersPath: pathStatement(rows[0]?.search_path as string) };
}

/** How many rows a table has; undefined where there is no such table. */
export async function rowsOf(system: OldSystem, table: string): Promise<number | undefined> {
  if (!(await isThere(system, table))) return undefined;
  const { count } = spelled(system);
  const [row] = await system.query(`SELECT ${count}(*) AS n FROM ${system.table(table)}`);
  return Number((row as FigureRow).n);
}

/** Whether the system has such a table or view. */
export async function isThere(system: OldSystem, table: string): Promise<boolean> {
  const [row] = await system.query(
    system.kind === 'sqlite'
      ? `SELECT count(*) AS n FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ${literal(table)}`
      : `SELECT pg_catalog.count(pg_catalog.to_regclass(${literal(system.table(table))})) AS n`,
  );
  return (row as FigureRow).n !== '0';
}
