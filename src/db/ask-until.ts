import { inTransaction } from './catalog/session.js';
import type { PgDatabase } from './connect.js';
import { sqlstateOf } from './server-error.js';

/** The server's word for a statement that was stopped, by its time-out or by somebody. */
const STOPPED = '57014';

/**
 * The first row that `sql` gives, asked for until the moment `until` (as performance.now has it; Infinity: for as long as
 * it takes) and no longer: undefined where the server has not answered by then, or gives none.
 */
export async function askUntil<T extends object>(
  database: PgDatabase,
  until: number,
  sql: string,
): Promise<T | undefined> {
  const left = until === Number.POSITIVE_INFINITY ? 0 : Math.ceil(until - performance.now());
  if (left < 0) return undefined;
  try {
    return await database.inTurn((client) =>
      inTransaction(client, [`SET LOCAL statement_timeout = ${left}`], async () => {
        const { rows } = await client.query<T>(sql);
        return rows[0];
      }),
    );
  } catch (error) {
    if (sqlstateOf(error) === STOPPED) return undefined;
    throw error;
  }
}
