import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import type { ColumnFacts, Grant, TableFacts } from '../../../src/db/catalog/facts.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { grantStatements } from './grants.js';

const ARRAY_TYPE = `
SELECT a.typname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
JOIN pg_catalog.pg_type a ON a.oid = t.typarray WHERE c.oid = $1`;

/** As many names as the server tries in a row before ours is not among them. */
const TRIES = 20;

/**
 * Gives the array type of a staged table's row type the name that live's has: it moves with the table, and where a table
 * `_t` stands beside `t`, `_t` is taken. Such a type cannot be renamed. But the server names it anew when somebody makes a
 * type of its name, and when its table is renamed while its usual name is taken; live's has come about in one of these
 * ways. Throws refused('array_type') where neither leads there. Call in a transaction with an empty search_path, as
 * somebody who may create in the staging schema.
 */
export async function nameArrayType(
  client: Client,
  live: TableFacts,
  staged: { readonly schema: string; readonly table: string; readonly oid: number },
): Promise<void> {
  const read = async () =>
    (await client.query<{ name: string }>(ARRAY_TYPE, [staged.oid])).rows[0]?.name ?? null;
  const take = (name: string) => `CREATE DOMAIN ${qualified(staged.schema, name)} AS pg_catalog.int4`;
  const free = (name: string) => `DROP DOMAIN ${qualified(staged.schema, name)}`;
  const aside = 'sluice_renamed';
  const rename = `ALTER TABLE ${qualified(staged.schema, staged.table)} RENAME TO ${ident(aside)}; ALTER TABLE ${qualified(staged.schema, aside)} RENAME TO ${ident(staged.table)}`;
  const isThere = (name: string | null) => name === null || name === live.arrayType;

  let name = await read();
  for (let tries = 0; name !== null && !isThere(name) && tries < TRIES; tries++) {
    await client.query(`${take(name)}; ${free(name)}`);
    name = await read();
  }
  const taken: string[] = [];
  if (!isThere(name)) {
    await client.query(rename);
    name = await read();
  }
  while (name !== null && !isThere(name) && taken.length < TRIES) {
    await client.query(`${take(name)}; ${rename}`);
    taken.push(name);
    name = await read();
  }
  if (taken.length > 0) await client.query(taken.map(free).join('; '));
  if (name === live.arrayType) return;
  throw replaceErrors.array_type({
    table: `${live.schema}.${live.table}`,
    type: live.arrayType,
    staging: name,
  });
}

/**
 * Statements that declare the arrays of an empty table with as many dimensions as live's. LIKE has forgotten them; the
 * type stays the same. A column that a generated one is computed from cannot be declared again, and keeps none. Pure.
 */
export function dimensionStatements(live: TableFacts, table: string): string[] {
  const declared = (column: ColumnFacts) =>
    column.dimensions > 0 && column.type.endsWith('[]') && !column.feeds && column.generated === '';
  return live.columns.filter(declared).map((column) => {
    const type = column.type.slice(0, -2) + '[]'.repeat(column.dimensions);
    const collation = column.collation === null ? '' : ` COLLATE ${column.collation}`;
    return `ALTER TABLE ${table} ALTER COLUMN ${ident(column.name)} TYPE ${type}${collation}`;
  });
}

/**
 * Statements that give the row type of the table, which has the privileges `have` now, those that live's has. They come
 * after the move, since others than the owner may have granted some. Pure.
 */
export function typeGrantStatements(live: TableFacts, have: readonly Grant[] | null): string[] {
  if (JSON.stringify(live.typeGrants) === JSON.stringify(have)) return [];
  const type = `TYPE ${qualified(live.schema, live.table)}`;
  const roles = [...new Set([null, live.owner, ...(have ?? []).map((grant) => grant.grantee)])];
  const usual = [null, live.owner].map(
    (grantee): Grant => ({
      grantor: live.owner,
      grantee,
      privilege: 'USAGE',
      grantable: false,
      column: null,
    }),
  );
  return [
    ...roles.map((role) => `REVOKE ALL ON ${type} FROM ${role === null ? 'PUBLIC' : ident(role)} CASCADE`),
    ...grantStatements(type, live.owner, live.typeGrants ?? usual, false).slice(1),
  ];
}
