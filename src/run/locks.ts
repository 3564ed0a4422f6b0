import { refused } from '../core/errors.js';
import { again, command } from '../core/next.js';
import type { Database } from '../core/run.js';
import type { LiveTable } from './tables.js';

/** The class of the advisory locks on live tables; the object is the table's OID. */
const TABLE_LOCK = 0x51c1cf;

/**
 * Takes the batch's claim on its live tables, held by the control session until it ends: two batches never
 * interleave on one table. Throws `tables_busy` naming who holds the claim.
 */
export async function lockTables(
  database: Database,
  tables: readonly Pick<LiveTable, 'schema' | 'table' | 'oid'>[],
): Promise<void> {
  for (const { schema, table, oid } of [...tables].sort((a, b) => a.oid - b.oid)) {
    // An OID is an unsigned 32-bit number and the lock's key a signed one.
    const key = oid | 0;
    const [row] = await database.query<{ held: boolean }>(
      `SELECT pg_try_advisory_lock(${TABLE_LOCK}, $1) AS held`,
      [key],
    );
    if (row?.held === true) continue;
    const holders = await database.query<{ pid: number; usename: string | null; since: Date | null }>(
      `SELECT a.pid, a.usename::text, a.backend_start AS since FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE l.locktype = 'advisory' AND l.classid = ${TABLE_LOCK} AND l.objid = $1::bigint::oid AND l.granted
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [String(oid)],
    );
    throw refused('tables_busy', `another batch is working on ${schema}.${table}`, {
      table: `${schema}.${table}`,
      details: holders.map(
        ({ pid, usename, since }) =>
          `process ${pid} of ${usename ?? 'unknown'}, since ${since?.toISOString() ?? 'unknown'}`,
      ),
      next: [command('status', [], {}, { note: 'wait until it has ended' }), again({}, { lead: 'then' })],
    });
  }
}
