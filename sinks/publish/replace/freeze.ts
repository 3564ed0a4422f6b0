import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import { blockerLine, olderSnapshots } from '../../../src/db/locks/blockers.js';
import type { Patience } from '../../../src/db/patience.js';
import { qualified } from '../../../src/db/quote.js';
import type { StagedTable } from './staging.js';

interface FreezeOptions {
  readonly waitMs: number;
  readonly patience: Patience;
  readonly onProgress: (text: string) => void;
}

/**
 * VACUUM (FREEZE, ANALYZE) until no snapshot is left in which the staged rows do not exist: a REPEATABLE
 * READ transaction older than the load that first touches the table after the swap would otherwise read
 * an empty table. Waits `waitMs` for such transactions to end, then throws refused('old_snapshot') naming
 * them, and an AbortError at once where the run is asked to stop. Also gives the planner its statistics before anybody
 * queries the table.
 */
export async function freezeAndAnalyze(
  client: Client,
  staged: readonly StagedTable[],
  { waitMs, patience, onProgress }: FreezeOptions,
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
      await sleep(Math.min(1000, Math.max(50, waitMs / 10)), undefined, { signal: patience.stopped });
    }
  }
}

async function holdersOf(client: Client, xid: string): Promise<{ complete: boolean; list: string[] }> {
  const { rows } = await client.query<{ all: boolean }>(
    `SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS all`,
  );
  const holders = await olderSnapshots(client, xid);
  return { complete: rows[0]?.all === true, list: holders.map(blockerLine) };
}
