import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { closeSchemas } from '../../../src/db/close.js';
import { patiently } from '../../../src/db/locks/patiently.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { type ServerError, sqlstateOf } from '../../../src/db/server-error.js';
import { type StagingNames, schemasFor } from './names.js';

const TABLES = `
SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind = 'r' ORDER BY 1`;

// Keys that other tables have towards staging; they would reject rows that only live knows.
const KEYS = `
SELECT n.nspname AS schema, c.relname AS table, k.conname AS name
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND pn.nspname = $1 AND n.nspname <> $1 ORDER BY 1, 2, 3`;

/**
 * Removes what a batch staged, after a failure: keys from other tables to it, its tables, its schemas
 * (the one for old tables only where it is empty). `targets` as in the survey. What is not there is
 * passed over, so it can be repeated. Never CASCADE: anything else that depends on staging stops it.
 */
export async function discardStaging(
  client: Client,
  targets: readonly { readonly schema: string }[],
  names: StagingNames,
  patience: Patience,
): Promise<void> {
  for (const { staging, old } of schemasFor(targets, names).values()) {
    await dropKeysTowards(client, staging, patience);
    const tables = await client.query<{ name: string }>(TABLES, [staging]);
    if (tables.rows.length > 0) {
      const list = tables.rows.map((row) => qualified(staging, row.name)).join(', ');
      await patiently(client, patience, [`DROP TABLE ${list}`], { own: true });
    }
    await dropEmptySchema(client, staging, patience);
    await dropEmptySchema(client, old, patience);
  }
}

/**
 * Takes back what finishStaging did to tables that are not staged: foreign keys towards staging, which
 * reject rows that only live knows the parents of; and closes staging again to its tables' owners. For a publish that
 * failed or was a rehearsal, where staging is kept; finishStaging does it again. May be repeated.
 */
export async function releaseLive(
  client: Client,
  targets: readonly { readonly schema: string }[],
  names: StagingNames,
  patience: Patience,
): Promise<void> {
  const schemas = [...schemasFor(targets, names).values()].map(({ staging }) => staging);
  for (const schema of schemas) await dropKeysTowards(client, schema, patience);
  if (schemas.length > 0) await client.query(closeSchemas(schemas, ['schema']));
}

/** Drops the foreign keys that tables outside the schema have towards tables in it. */
export async function dropKeysTowards(client: Client, schema: string, patience: Patience): Promise<void> {
  const keys = await client.query<{ schema: string; table: string; name: string }>(KEYS, [schema]);
  for (const key of keys.rows) {
    const drop = `ALTER TABLE ${qualified(key.schema, key.table)} DROP CONSTRAINT ${ident(key.name)}`;
    await patiently(client, patience, [drop], { tables: [key], readersToo: true });
  }
}

/** Drops the schema where it is there and nothing is in it; whether it is gone now. */
export async function dropEmptySchema(client: Client, schema: string, patience: Patience): Promise<boolean> {
  try {
    await patiently(client, patience, [`DROP SCHEMA IF EXISTS ${ident(schema)} RESTRICT`]);
    return true;
  } catch (error) {
    if (sqlstateOf(error) === '2BP01') return false;
    throw error;
  }
}

/**
 * Drops a retained table, and its schema if that leaves it empty. Never CASCADE. A table that is gone is
 * passed over; one of another OID, or one that something depends on, throws refused('retained').
 */
export async function dropRetained(
  client: Client,
  table: { readonly schema: string; readonly table: string; readonly oid: number },
  patience: Patience,
): Promise<void> {
  const name = `${table.schema}.${table.table}`;
  const { rows } = await client.query<{ oid: number }>(
    `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [table.schema, table.table],
  );
  if (rows[0] !== undefined) {
    if (rows[0].oid !== table.oid) {
      throw replaceErrors.retained.another({ table: name });
    }
    try {
      await patiently(client, patience, [`DROP TABLE ${qualified(table.schema, table.table)}`], {
        tables: [table],
        readersToo: true,
      });
    } catch (error) {
      if (sqlstateOf(error) !== '2BP01') throw error;
      const { detail = '' } = error as ServerError;
      throw replaceErrors.retained.needed({ table: name }, { details: detail.split('\n'), cause: error });
    }
  }
  await dropEmptySchema(client, table.schema, patience);
}
