import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { hurried } from '../../../src/db/hurry.js';
import { qualified } from '../../../src/db/quote.js';
import type { StagedTable } from './staging.js';

const OLD_SNAPSHOTS = `
SELECT pid, coalesce(usename::text, '') AS usename, coalesce(application_name, '') AS application,
  coalesce(round(extract(epoch FROM now() - xact_start)), 0)::int AS seconds
FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND age(backend_xmin) > age($1::xid)
  AND pid <> pg_backend_pid() AND datname = current_database() ORDER BY xact_start LIMIT 5`;

/**
 * VACUUM (FREEZE, ANALYZE) until no snapshot is left in which the staged rows do not exist: a REPEATABLE
 * READ transaction older than the load that first touches the table after the swap would otherwise read
 * an empty table. Waits `waitMs` for such transactions to end, then throws refused('old_snapshot') naming
 * them. Also gives the planner its statistics before anybody queries the table.
 */
export async function freezeAndAnalyze(
  client: Client,
  staged: readonly StagedTable[],
  { waitMs, onProgress }: { waitMs: number; onProgress: (text: string) => void },
): Promise<void> {
  const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::xid::text AS xid');
  const loaded = rows[0]?.xid as string;
  for (const table of staged) {
    const name = qualified(table.schema, table.table);
    onProgress(`vacuum and analyze ${name}`);
    const until = Date.now() + waitMs;
    for (;;) {
      await client.query(`VACUUM (FREEZE, ANALYZE) ${name}`);
      const frozen = await client.query<{ done: boolean }>(
        'SELECT age(relfrozenxid) <= age($2::xid) AS done FROM pg_class WHERE oid = $1',
        [table.oid, loaded],
      );
      if (frozen.rows[0]?.done) break;
      const holders = await holdersOf(client, loaded);
      // Without the right to see others' sessions an empty list proves nothing; only a frozen table does.
      if (holders.complete && holders.list.length === 0) break;
      if (Date.now() > until) {
        throw replaceErrors.old_snapshot(
          { table: `${table.target.schema}.${table.target.table}`, staging: name },
          { details: holders.list },
        );
      }
      onProgress(`waiting for transactions older than the load: ${holders.list.join('; ')}`);
      await sleep(Math.min(1000, Math.max(50, waitMs / 10)), undefined, { signal: hurried(client) });
    }
  }
}

async function holdersOf(client: Client, xid: string): Promise<{ complete: boolean; list: string[] }> {
  const { rows } = await client.query<{ all: boolean }>(
    `SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS all`,
  );
  const holders = await client.query(OLD_SNAPSHOTS, [xid]);
  return {
    complete: rows[0]?.all === true,
    list: holders.rows.map(
      (row) => `pid ${row.pid} (${row.usename}, ${row.application || 'no name'}), open for ${row.seconds} s`,
    ),
  };
}
