import type { ClientBase } from 'pg';
import { patiently } from '../../../src/db/locks/patiently.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import type { GuardedTable } from './names.js';
import { GUARD_ATTEMPTS, type Waiting } from './waiting.js';

/** The savepoint before which the guard's locks are taken. */
export const WINDOW_SAVEPOINT = 'sluice_window';

/**
 * Locks `tables` against writers (not readers) until the session's transaction ends: SHARE ROW EXCLUSIVE,
 * which no two sessions hold at once, so that two runs cannot block each other's upgrade for ever. In one
 * order (by name), with bounded waits. `client` must be dedicated: the transaction stays open for the load,
 * and everything that needs a stronger lock on these tables (the window, foreign keys to them) must run in
 * it. The window runs in it without a BEGIN, and before another attempt ROLLBACK TO SAVEPOINT sluice_window keeps
 * the locks; a session that is lost takes the locks with it, and the window cannot run any more.
 */
export async function holdGuard(
  client: ClientBase,
  tables: readonly GuardedTable[],
  patience: Patience,
  waiting: Waiting = {},
): Promise<void> {
  const sorted = [...tables].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  if (sorted.length === 0) return;
  const list = sorted.map(nameOf).join(', ');
  // Nothing is to be done while waiting in an attempt, so all tables are one statement; the lock that an
  // attempt got is given back when another cannot be had, for else two runs could wait for each other.
  const wait = { ...GUARD_ATTEMPTS, ...waiting, tables: sorted };
  await patiently(client, patience, [`LOCK TABLE ${list} IN SHARE ROW EXCLUSIVE MODE`], wait, [
    'SET LOCAL lock_timeout = 0',
    'SET LOCAL idle_in_transaction_session_timeout = 0',
    `SAVEPOINT ${ident(WINDOW_SAVEPOINT)}`,
  ]);
}

const nameOf = (table: GuardedTable) => qualified(table.schema, table.table);
