import type { ClientBase } from 'pg';
import { commandErrors } from '../../../src/core/errors/catalogue/command-line.js';
import { publishErrors } from '../../../src/core/errors/catalogue/publish.js';
import { membersOf } from '../../../src/db/catalog/members.js';
import { HURRIED, hurried } from '../../../src/db/hurry.js';
import { qualified } from '../../../src/db/quote.js';

/** Who holds or awaits a lock on a table that a statement of ours would have to wait for. */
export interface LockHolder {
  /** Null for a prepared transaction, which holds its locks until somebody ends it by name. */
  readonly pid: number | null;
  readonly user: string | null;
  readonly application: string | null;
  readonly lock: string;
  /** Seconds since its transaction began. */
  readonly age: number | null;
  readonly query: string | null;
}

/** Holders of locks on `table`, or a member of it, that conflict with SHARE ROW EXCLUSIVE, the oldest first, at most 5. */
export async function lockHolders(
  client: ClientBase,
  table: { readonly schema: string; readonly table: string },
  readersToo = false,
): Promise<LockHolder[]> {
  const harmless = readersToo ? [] : ['AccessShareLock', 'RowShareLock'];
  const result = await client.query(
    `SELECT l.pid, a.usename AS "user", a.application_name AS application, l.mode AS lock,
            extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age, left(a.query, 200) AS query
     FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'relation' AND l.relation IN (${membersOf('to_regclass($1)')})
       AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND l.granted AND l.mode <> ALL ($2) AND l.pid IS DISTINCT FROM pg_backend_pid()
     ORDER BY a.xact_start NULLS FIRST LIMIT 5`,
    [qualified(table.schema, table.table), harmless],
  );
  return result.rows as LockHolder[];
}

/** One line about a holder, for messages. */
export function holderLine(holder: LockHolder): string {
  if (holder.pid === null) return `a prepared transaction (${holder.lock}); see pg_prepared_xacts`;
  const application = holder.application ? ` (${holder.application})` : '';
  const age = holder.age === null ? '' : `, ${holder.age.toFixed(1)} s old`;
  return `pid ${holder.pid}, ${holder.user ?? '?'}${application}${age}, ${holder.lock}: ${holder.query ?? ''}`;
}

export interface Waiting {
  /** How long one attempt may wait for its locks, in ms (default 500): later statements queue behind it. */
  readonly lockTimeout?: number;
  /** How many attempts (default 20), with pauses that grow up to 2 s and vary at random. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Called after each attempt that failed on a lock. */
  readonly onWait?: (table: string, attempt: number, holders: readonly LockHolder[]) => void;
}

/**
 * Runs `statements` as one transaction, with bounded waits for locks on `table`. Throws failed('lock_not_got')
 * naming the holders after the last attempt, interrupted() when the signal is aborted, other errors as
 * they are; the session is outside a transaction then. With `stay`, these statements end the message in place of
 * COMMIT, and the transaction stays open with its locks. Where the run of the session was asked to stop before, it gives up
 * soon.
 */
export async function withShortLocks(
  client: ClientBase,
  table: { readonly schema: string; readonly table: string },
  statements: readonly string[],
  waiting: Waiting = {},
  readersToo = false,
  stay?: readonly string[],
): Promise<void> {
  const { signal, onWait } = waiting;
  const late = hurried(client).aborted;
  const { lockTimeout = 500, attempts = 20 } = late
    ? { lockTimeout: HURRIED.lockTimeoutMs, attempts: HURRIED.attempts }
    : waiting;
  const name = `${table.schema}.${table.table}`;
  const message = [
    'BEGIN',
    `SET LOCAL lock_timeout = ${Math.round(lockTimeout)}`,
    ...statements,
    ...(stay ?? ['COMMIT']),
  ];
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted) throw commandErrors.interrupted.stopped();
    try {
      await client.query(message.join(';\n'));
      return;
    } catch (error) {
      await client.query('ROLLBACK');
      const { code } = error as { code?: string };
      if (code !== '55P03' && code !== '40P01') throw error;
      const holders = await lockHolders(client, table, readersToo);
      onWait?.(name, attempt, holders);
      if (attempt >= attempts) {
        throw publishErrors.lock_not_got(
          { table: name, attempts },
          { details: holders.map(holderLine), cause: error },
        );
      }
      await pause(Math.min(2000, 50 * 2 ** attempt) * (0.5 + Math.random()), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
