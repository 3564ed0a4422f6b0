import { tableErrors } from '../../core/errors/catalogue/tables.js';
import { nearest } from '../../core/errors/nearest.js';
import { again, type Next } from '../../core/next.js';
import type { Database } from '../../core/run.js';
import type { Target } from '../../core/target.js';
import type { ColumnFacts } from '../../db/catalog/columns.js';
import { findRelation, type Relation, relationNames } from '../../db/catalog/relation.js';
import type { PgDatabase } from '../../db/connect.js';
import { readings, type TableName, tableText } from '../../db/table-name.js';

/** A table, plain or partitioned, found in the database. */
export interface FoundTable {
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  /** As the planner's statistics estimate them, partitions included; -1 rows where it was never analysed. */
  readonly estimatedRows: number;
  readonly bytes: number;
}

/** A target found in the database. */
export interface LiveTable extends FoundTable {
  /** The name it has in the pipeline. */
  readonly name: string;
  readonly target: Target;
  /** It is not there yet (its oid is 0), and the run makes it. */
  readonly missing?: boolean;
}

/** The live tables' columns, by target. */
export type Columns = Map<Target, readonly ColumnFacts[]>;

/**
 * Finds the live table of every target: `schema.table`, or a bare name along the user's search path, as `readings` has it.
 * Throws a usage error naming the nearest table where there is none, and no name in `creatable` stands for it.
 */
export async function resolveTables(
  database: PgDatabase,
  targets: readonly (readonly [string, Target])[],
  creatable: readonly string[] = [],
): Promise<LiveTable[]> {
  const found: LiveTable[] = [];
  for (const [name, target] of targets) {
    const row = await findRelation(database, target.table);
    if (row === undefined && creatable.includes(name))
      found.push({ name, target, ...(await future(database, target.table)), missing: true });
    else
      found.push({
        name,
        target,
        ...(await plain(database, row, target.table, 'publishes', target.whenMissing)),
      });
  }
  return found;
}

/**
 * Finds tables by the names that a pipeline guards them by; as resolveTables. `missing` ones are left out. `ours`: OIDs
 * of views that an earlier batch has put in the place of such tables; they hold no rows of their own, and are passed over.
 */
export async function resolveWatched(
  database: PgDatabase,
  names: readonly string[],
  known: {
    readonly missing?: readonly string[];
    readonly ours?: ReadonlySet<number>;
    readonly whenMissing?: string;
  } = {},
): Promise<FoundTable[]> {
  const found: FoundTable[] = [];
  for (const name of names) {
    if (known.missing?.includes(name) === true) continue;
    const row = await findRelation(database, name);
    if (row !== undefined && known.ours?.has(row.oid) === true) continue;
    found.push(await plain(database, row, name, 'guards', known.whenMissing));
  }
  return found;
}

/** The table, plain or partitioned, that a name means; undefined where there is none. */
export async function findTable(
  database: PgDatabase,
  name: string,
): Promise<Pick<FoundTable, 'schema' | 'table'> | undefined> {
  const row = await findRelation(database, name);
  return row !== undefined && ['r', 'p'].includes(row.kind) ? row : undefined;
}

/** The OIDs of tables by schema and name; a table that is not there is left out. */
export async function findTables(
  database: Database,
  tables: readonly { readonly schema: string; readonly table: string }[],
): Promise<{ readonly schema: string; readonly table: string; readonly oid: number }[]> {
  return database.query<{ schema: string; table: string; oid: number }>(
    `SELECT n.nspname AS schema, c.relname AS table, c.oid
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN jsonb_to_recordset($1::jsonb) AS w(schema text, "table" text) ON w.schema = n.nspname AND w.table = c.relname`,
    [JSON.stringify(tables)],
  );
}

async function plain(
  database: PgDatabase,
  row: Relation | undefined,
  wanted: string,
  does: 'publishes' | 'guards',
  whenMissing?: string,
): Promise<FoundTable> {
  if (row === undefined) throw await missing(database, wanted, whenMissing);
  if (row.kind !== 'r' && row.kind !== 'p')
    throw tableErrors.not_a_table({
      name: wanted,
      kind: KINDS[row.kind] ?? 'not a table',
      does,
      next: await tablesBehind(database, row.oid),
    });
  return { schema: row.schema, table: row.table, oid: row.oid, estimatedRows: row.rows, bytes: row.bytes };
}

/** A table that is not there, where a CREATE TABLE of that name would put it. */
async function future(database: PgDatabase, wanted: string): Promise<FoundTable> {
  const [{ schema, table }] = readings(wanted) as [TableName];
  const at = schema ?? (await database.usersPath()).schemas[0];
  if (at === undefined) throw tableErrors.no_such_schema.toMakeIn({ table: wanted });
  return { schema: at, table, oid: 0, estimatedRows: 0, bytes: 0 };
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
};

/** The copy into another table; a pipeline has no such flag. */
const named = (name: string, lead: string) => again({ flags: { into: name } }, { lead, otherwise: lead });

/** The tables that a view reads; the advice to name such a table where there is none. */
async function tablesBehind(database: Database, view: number): Promise<Next> {
  const tables = await database.query<{ schema: string; table: string }>(
    `SELECT DISTINCT n.nspname AS schema, c.relname AS "table"
     FROM pg_catalog.pg_rewrite r
     JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
       AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
     JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('r', 'p')
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE r.ev_class = $1 ORDER BY 1, 2 LIMIT 3`,
    [view],
  );
  if (tables.length === 0) return 'load into a table';
  return tables.map((each) => named(tableText(each), `it reads ${tableText(each)}`));
}

async function missing(database: PgDatabase, wanted: string, whenMissing: string | undefined) {
  const meant = nearest(wanted, await relationNames(database, ['r', 'p']));
  return tableErrors.no_such_table.inDatabase({
    table: wanted,
    first: [
      ...(meant === undefined ? [] : [named(meant, `did you mean ${meant}?`)]),
      ...(whenMissing === undefined ? [] : [whenMissing]),
    ],
  });
}
