import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { tableErrors } from '../core/errors/catalogue/tables.js';
import { nearest } from '../core/errors/nearest.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { type ColumnFacts, readColumns } from '../db/catalog/columns.js';
import type { PgDatabase } from '../db/connect.js';
import { ident, MAX_IDENTIFIER_BYTES, qualified } from '../db/quote.js';
import { readAsSql, readings } from '../db/table-name.js';
import type { FutureTable } from './prepare.js';
import { createTableSql, type ProposedTable } from './propose-table.js';
import type { CopyRequest } from './request.js';
import { type Look, sampleColumns } from './sample.js';
import type { Surroundings } from './silent-run.js';
import { keyInstead } from './unfilled.js';

/** A table that is not there, with what it would be. */
export interface Proposal extends ProposedTable {
  readonly ddl: string;
  /** Rows that the types were taken from, and whether those were all. */
  readonly sampled: number;
  readonly complete: boolean;
}

/**
 * The table that the request's files ask for, or undefined where there is one of that name already. Reads
 * the files, or a good part of large ones; writes nothing. Throws usage errors for inputs that can be read only
 * once, names that no column can have, a schema that is not there, a key that is no column.
 */
export async function proposeTable(
  request: CopyRequest,
  around: Surroundings,
  look?: Look,
): Promise<Proposal | undefined> {
  const place = await placeOf(request.into, around.database);
  if (place === undefined) return undefined;
  const { columns, sampled, complete } = await sampleColumns(request, around, look);
  for (const { name } of columns) assertName(name);
  const names = columns.map(({ name }) => name);
  for (const column of request.key ?? []) {
    if (names.includes(column)) continue;
    const close = nearest(column, names);
    throw fillingErrors.no_such_column.inNewTable({
      column,
      columns: names,
      corrected: close === undefined ? undefined : keyInstead(request.key ?? [], column, close),
    });
  }
  const proposed = { ...place, columns, key: request.key ?? [] };
  return { ...proposed, ddl: createTableSql(proposed), sampled, complete };
}

/** Creates the table and gives its OID. Throws `create_failed` with what the server says. */
export async function createTable(database: PgDatabase, proposal: Proposal): Promise<number> {
  try {
    await database.query(proposal.ddl);
  } catch (error) {
    throw createFailed(error, proposal);
  }
  return (await oidOf(database, proposal)) as number;
}

/**
 * Drops the table that `createTable` made, if it is still that table and empty; true where it is gone.
 * For a copy that came to nothing: it leaves the database as it was.
 */
export async function dropCreated(database: PgDatabase, proposal: Proposal, oid: number): Promise<boolean> {
  const name = qualified(proposal.schema, proposal.table);
  const client = await database.connect('copy, to drop what it created');
  try {
    await client.query("BEGIN; SET LOCAL lock_timeout = '5s'");
    if ((await oidOf(client, proposal)) !== oid) return true;
    await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
    const { rows } = await client.query<{ filled: boolean }>(`SELECT EXISTS (SELECT FROM ${name}) AS filled`);
    if (rows[0]?.filled !== false) return false;
    await client.query(`DROP TABLE ${name}; COMMIT`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** The proposal as the catalog would show it: it is created in a transaction that is rolled back. */
export async function futureTable(database: PgDatabase, proposal: Proposal): Promise<FutureTable> {
  const { schema, table } = proposal;
  const client = await database.connect('copy, to see the proposed table');
  try {
    await client.query('BEGIN');
    await client.query(proposal.ddl);
    const columns: ColumnFacts[] = await readColumns(
      { query: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows },
      schema,
      table,
    );
    return { schema, table, name: `${schema}.${table}`, columns };
  } catch (error) {
    throw error instanceof SluiceError ? error : createFailed(error, proposal);
  } finally {
    await client.query('ROLLBACK').catch(() => {});
    await client.end().catch(() => {});
  }
}

/** Where the table would stand; undefined where something of that name is there. */
async function placeOf(
  into: string,
  database: PgDatabase,
): Promise<{ schema: string; table: string } | undefined> {
  const meant = readings(into);
  const { schema: given, table } = readAsSql(into);
  assertName(table);
  const { schemas } = await database.usersPath();
  const schema = given ?? schemas[0];
  const [found] = await database.query<{ there: boolean; exists: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = $1::text) AS there,
            EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS w (schema, name)
                    JOIN pg_class c ON c.relname = w.name JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = w.schema OR (w.schema IS NULL AND n.nspname = ANY ($4::text[]))) AS exists`,
    [schema ?? null, meant.map((each) => each.schema), meant.map(({ table: name }) => name), schemas],
  );
  if (found?.exists === true) return undefined;
  if (found?.there !== true || schema === undefined)
    throw given === null
      ? tableErrors.no_such_schema.onPath({ table })
      : tableErrors.no_such_schema.toCreateIn({ schema: given, quoted: ident(given), table });
  return { schema, table };
}

async function oidOf(
  database: Pick<PgDatabase, 'query'> | { query: ClientQuery },
  at: Proposal,
): Promise<number | undefined> {
  const result = await (database.query as ClientQuery)('SELECT to_regclass($1)::oid::int8::float8 AS oid', [
    qualified(at.schema, at.table),
  ]);
  const rows = Array.isArray(result) ? result : result.rows;
  return rows[0]?.oid ?? undefined;
}

type OidRow = { oid: number | null };
type ClientQuery = (sql: string, parameters: unknown[]) => Promise<OidRow[] | { rows: OidRow[] }>;

function assertName(name: string): void {
  if (name !== '' && Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES && !name.includes('\0')) return;
  throw tableErrors.bad_name({ name, most: MAX_IDENTIFIER_BYTES });
}

function createFailed(error: unknown, { schema, table, ddl }: Proposal): SluiceError {
  const { code, message } = error as { code?: string; message?: string };
  const of = { table: `${schema}.${table}`, why: message ?? String(error) };
  const known = { sqlstate: code, details: ddl.split('\n'), cause: error };
  return code === '42501'
    ? tableErrors.create_failed.noRights({ ...of, schema: ident(schema) }, known)
    : tableErrors.create_failed.other(of, known);
}
