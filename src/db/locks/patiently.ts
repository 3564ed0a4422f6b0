import type { ClientBase } from 'pg';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { publishErrors } from '../../core/errors/catalogue/publish.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { inTransaction } from '../catalog/session.js';
import type { Attempts, Patience } from '../patience.js';
import { OUR_PATH } from '../pinned.js';
import { sqlstateOf } from '../server-error.js';
import { inAttempts, isLockFailure } from './attempts.js';
import { type Blocker, blockerLine, type LockedTable, lockHolders } from './blockers.js';

/** How locks are waited for, where it is not as the patience has it. */
export interface LockWait extends Partial<Attempts> {
  /** The tables are the batch's, and nobody else wants them. */
  readonly own?: boolean;
  /** The tables that are locked, as far as others may hold them: whoever does is named. */
  readonly tables?: readonly LockedTable[];
  /** Readers are in the way, too: the lock is ACCESS EXCLUSIVE. */
  readonly readersToo?: boolean;
  /** Called after each attempt that failed on a lock, with the names of `tables`. */
  readonly onWait?: (tables: string, attempt: number, holders: readonly Blocker[]) => void;
}

const PATH = `SET LOCAL search_path = ${OUR_PATH}`;

/**
 * Runs `statements` as one transaction, in one message, that waits a bounded time for each lock, again and again until
 * the locks are free or the attempts used up. `client` must be idle, and is again when it throws: failed('lock_not_got')
 * naming who holds locks on `tables` (where none are named, the server's error), interrupted() where the run was asked to
 * stop meanwhile, any other error as it is. With `stay`, these statements end the message in place of COMMIT: the transaction
 * stays open with its locks, and has the session's search_path.
 */
export async function patiently(
  client: ClientBase,
  patience: Patience,
  statements: readonly string[],
  wait: LockWait = {},
  stay?: readonly string[],
): Promise<void> {
  await retried(client, patience, wait, async (lockTimeout) => {
    const begin = stay === undefined ? ['BEGIN', PATH, lockTimeout] : ['BEGIN', lockTimeout];
    await client.query([...begin, ...statements, ...(stay ?? ['COMMIT'])].join(';\n'));
  });
}

/** The same for `work`, which asks questions between its statements: all of it in one transaction, from the start each time. */
export function patientlyDo<T>(
  client: ClientBase,
  patience: Patience,
  work: () => Promise<T>,
  wait: LockWait = {},
): Promise<T> {
  return retried(client, patience, wait, (lockTimeout) => inTransaction(client, [PATH, lockTimeout], work));
}

async function retried<T>(
  client: ClientBase,
  patience: Patience,
  wait: LockWait,
  once: (lockTimeout: string) => Promise<T>,
): Promise<T> {
  const { stopped } = patience;
  const late = stopped.aborted;
  const soon = wait.own === true ? patience.lateOwn : patience.late;
  const { attempts, lockTimeoutMs } = late ? soon : { ...patience.usual, ...wait };
  return inAttempts(
    () => {
      if (!late && stopped.aborted) throw asked(stopped);
      return once(`SET LOCAL lock_timeout = ${Math.round(lockTimeoutMs)}`);
    },
    async (error, attempt) => {
      await client.query('ROLLBACK').catch(() => {});
      if (!isLockFailure(error)) throw error;
      if (!late && stopped.aborted) throw asked(stopped, error);
      const { tables = [] } = wait;
      const holders = await lockHolders(client, tables, wait.readersToo);
      wait.onWait?.(namesOf(tables), attempt, holders);
      if (attempt >= attempts) throw tables.length === 0 ? error : notLocked(tables, attempt, holders, error);
    },
    late ? undefined : stopped,
  );
}

const namesOf = (tables: readonly LockedTable[]) =>
  tables.map(({ schema, table }) => `${schema}.${table}`).join(', ');

/** The run was asked to stop while it waited. */
function asked({ reason }: AbortSignal, cause?: unknown): SluiceError {
  return reason instanceof SluiceError ? reason : commandErrors.interrupted.waiting({ cause });
}

function notLocked(
  tables: readonly LockedTable[],
  attempts: number,
  holders: readonly Blocker[],
  cause: unknown,
): SluiceError {
  const names = namesOf(tables);
  const known = { sqlstate: sqlstateOf(cause), details: holders.map(blockerLine), cause };
  const { lock_not_got } = publishErrors;
  const of = { names, attempts, table: tables.length === 1 ? names : undefined };
  // Waiting does not help against these.
  return holders.some(({ pid }) => pid === null)
    ? lock_not_got.prepared(of, known)
    : lock_not_got.sessions(of, known);
}
