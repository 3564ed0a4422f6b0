import type { ClientBase } from 'pg';
import { ledgerErrors } from '../core/errors/catalogue/ledger.js';
import type { Database } from '../core/run.js';
import { closeSchemas } from './close.js';
import { LEDGER_OWNER } from './ledger/trust.js';
import { ident, literal } from './quote.js';
import { sqlstateOf } from './server-error.js';

/** What is made for a batch; `batch` where its ledger keeps account of it. */
export interface OfBatch {
  readonly batch?: string;
}

/** Whether a name is one that this batch's schemas have, as SQL: nothing else that the ledger names is ever touched. */
export const ownName = (name: string, batch: string): string =>
  `${name} ~ ('^sluice_(staging|old|guard|guard_undo|undo|undone|compat)_' || ${batch} || '(_[1-9][0-9]*)?$')`;

/**
 * The ledger's statement that keeps account of a batch's schemas as they are now: their OIDs, and those of their tables.
 * For the transaction that has made them. Pure.
 */
export function noteSchemasSql(batch: string, schemas: readonly string[]): string {
  const names = `ARRAY[${schemas.map(literal).join(', ')}]::pg_catalog.text[]`;
  const tables = `(SELECT pg_catalog.jsonb_object_agg(c.relname, c.oid::pg_catalog.int8) FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r')`;
  return `UPDATE sluice.migration_batch SET schemas = schemas || coalesce((SELECT pg_catalog.jsonb_object_agg(n.nspname, pg_catalog.jsonb_build_object('oid', n.oid::pg_catalog.int8, 'tables', coalesce(${tables}, '{}'))) FROM pg_catalog.pg_namespace n WHERE n.nspname::pg_catalog.text = ANY (${names})), '{}') WHERE id = ${literal(batch)}`;
}

/**
 * Makes schemas, closed to everybody but their owner: the role that owns the ledger, where the session has its rights, so
 * that everybody who shares the ledger can go on with what one of them has begun; else the session's own. One that is
 * there already is taken where the batch has made it: its OID is the one that the ledger has (of what has no ledger: it
 * belongs to the session's role). Throws refused `schema_taken`. Call in a transaction.
 */
export async function makeSchemas(
  client: ClientBase,
  names: readonly string[],
  { batch }: OfBatch,
): Promise<void> {
  const there = await client.query<{ name: string; oid: string; owner: string; mine: boolean }>(
    `SELECT n.nspname::pg_catalog.text AS name, n.oid::pg_catalog.int8::pg_catalog.text AS oid, r.rolname::pg_catalog.text AS owner, r.rolname = CURRENT_USER AS mine
     FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner WHERE n.nspname::pg_catalog.text = ANY ($1)`,
    [names],
  );
  for (const { name, oid, owner, mine } of there.rows) {
    const ours = batch === undefined ? mine : (await notedOid(client, batch, name)) === oid;
    if (!ours) throw schemaTaken(name, `it belongs to ${owner}`);
  }
  const missing = names.filter((name) => !there.rows.some((found) => found.name === name));
  if (missing.length === 0) return;
  const { rows } = await client.query<{ owner: string }>(LEDGER_OWNER);
  const owner = rows[0]?.owner;
  const authorization = owner === undefined ? '' : ` AUTHORIZATION ${ident(owner)}`;
  for (const name of missing)
    await client.query(`CREATE SCHEMA ${ident(name)}${authorization}`).catch((error: unknown) => {
      // By now it may be somebody else's: a look beforehand cannot rule that out, and so the server decides.
      if (['42P06', '23505'].includes(sqlstateOf(error) ?? ''))
        throw schemaTaken(name, 'somebody made it at this moment', error);
      throw error;
    });
  await client.query(closeSchemas(missing));
}

async function notedOid(client: ClientBase, batch: string, name: string): Promise<string | undefined> {
  const { rows } = await client.query<{ oid: string | null }>(
    'SELECT b.schemas -> $2 ->> $3 AS oid FROM sluice.migration_batch b WHERE b.id = $1',
    [batch, name, 'oid'],
  );
  return rows[0]?.oid ?? undefined;
}

function schemaTaken(name: string, whose: string, cause?: unknown) {
  return ledgerErrors.schema_taken({ name, whose }, { cause });
}

/** Statements that let the owners of tables create in the schema: for the transaction in which that is done. Pure. */
export function openTo(schema: string, owners: readonly string[]): string[] {
  return roles(owners, (to) => `GRANT USAGE, CREATE ON SCHEMA ${ident(schema)} TO ${to}`);
}

/**
 * Statements that let the owners of tables find them in the schema, and no more: foreign keys ask in the name of a
 * table's owner, whoever writes. Pure.
 */
export function admit(schema: string, owners: readonly string[]): string[] {
  return roles(owners, (to) => `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${to}`);
}

const roles = (owners: readonly string[], statement: (to: string) => string) =>
  owners.length === 0 ? [] : [statement([...new Set(owners)].map(ident).join(', '))];

/** A schema that a batch has made, which is there still and is the same one. */
export interface OwnSchema {
  readonly schema: string;
  /** The OIDs of its tables when they were made, by name. */
  readonly tables: Readonly<Record<string, number>>;
}

/** Whether `schema` is one that the batch has made, and the same one still. */
export async function isOwn(
  database: Pick<Database, 'query'>,
  batch: string,
  schema: string,
): Promise<boolean> {
  const [found] = await database.query<{ own: boolean }>(
    `SELECT EXISTS (SELECT FROM sluice.migration_batch b JOIN pg_catalog.pg_namespace n ON n.nspname::pg_catalog.text = $2
       WHERE b.id = $1 AND n.oid::pg_catalog.int8::pg_catalog.text = b.schemas -> $2 ->> 'oid' AND ${ownName('$2', 'b.id')}) AS own`,
    [batch, schema],
  );
  return found?.own === true;
}

/**
 * The schemas that a batch has made of the names (each itself, `_2`, …), by their OIDs: whatever somebody else has put in
 * such a place is none of them.
 */
export async function ownSchemas(
  database: Pick<Database, 'query'>,
  batch: string,
  ...names: readonly string[]
): Promise<OwnSchema[]> {
  return database.query<OwnSchema & Record<string, unknown>>(
    `SELECT n.nspname::pg_catalog.text AS schema, m.value -> 'tables' AS tables
     FROM sluice.migration_batch b CROSS JOIN LATERAL pg_catalog.jsonb_each(b.schemas) m
     JOIN pg_catalog.pg_namespace n ON n.nspname = m.key AND n.oid::pg_catalog.int8::pg_catalog.text = m.value ->> 'oid'
     WHERE b.id = $1 AND ${ownName('m.key', 'b.id')} AND pg_catalog.regexp_replace(m.key, '^(sluice_[a-z_]+_[0-9]+)_[1-9][0-9]*$', '\\1') = ANY ($2::pg_catalog.text[])
     ORDER BY 1`,
    [batch, names],
  );
}
