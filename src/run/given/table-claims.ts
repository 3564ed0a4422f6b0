import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import type { Database } from '../../core/run.js';
import { ancestorsOf } from '../../db/catalog/members.js';
import { advisoryHolders, blockerLine } from '../../db/locks/blockers.js';
import type { LiveTable } from './tables.js';

/** The class of the advisory locks on live tables; the object is the table's OID. */
const TABLE_LOCK = 0x51c1cf;

/**
 * Takes the batch's claim on its live tables, held by the control session until it ends: two batches never
 * interleave on one table, nor on a partitioned table and one of its partitions (of what a table is a partition of the
 * claim is a shared one, so that two partitions can be worked on at a time). Throws `tables_busy` naming who holds the claim.
 */
export async function lockTables(
  database: Database,
  tables: readonly Pick<LiveTable, 'schema' | 'table' | 'oid'>[],
): Promise<void> {
  for (const { schema, table, oid, shared } of await claims(database, tables)) {
    // An OID is an unsigned 32-bit number and the lock's key a signed one.
    const key = oid | 0;
    const [row] = await database.query<{ held: boolean }>(
      `SELECT ${shared ? 'pg_try_advisory_lock_shared' : 'pg_try_advisory_lock'}(${TABLE_LOCK}, $1) AS held`,
      [key],
    );
    if (row?.held === true) continue;
    const holders = await advisoryHolders(database, TABLE_LOCK, key);
    throw ledgerErrors.tables_busy({ table: `${schema}.${table}` }, { details: holders.map(blockerLine) });
  }
}

interface Claim {
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  readonly shared: boolean;
}

/** The claims on `tables`, in one order for all batches. Of a table that is claimed anyway none is shared. */
async function claims(
  database: Database,
  tables: readonly Pick<LiveTable, 'schema' | 'table' | 'oid'>[],
): Promise<Claim[]> {
  const own = tables.map(({ schema, table, oid }) => ({ schema, table, oid, shared: false }));
  const above = await database.query<{ schema: string; table: string; oid: number }>(
    `SELECT DISTINCT n.nspname AS schema, c.relname AS "table", c.oid
     FROM pg_catalog.unnest($1::pg_catalog.oid[]) t(oid) CROSS JOIN LATERAL (${ancestorsOf('t.oid')}) a
     JOIN pg_catalog.pg_class c ON c.oid = a.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid <> ALL ($1::pg_catalog.oid[])`,
    [tables.map(({ oid }) => oid)],
  );
  return [...own, ...above.map((each) => ({ ...each, shared: true }))].sort((a, b) => a.oid - b.oid);
}
