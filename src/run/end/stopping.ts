import type { PgDatabase } from '../../db/connect.js';
import { isOutOfReach } from '../../db/connection-error.js';
import type { Events } from '../given/events.js';

/** How often statements that run on are cancelled again: the next one may have begun in between. */
const EVERY_MS = 200;
/** After this long sessions are ended. */
const PATIENCE_MS = 1_000;

/**
 * From the moment `signal` is aborted cancels what the sessions of `database` run, so that an index build
 * or a validation ends within a moment, and soon ends the sessions themselves; the publishing window is
 * only ever cancelled, so that its outcome is known. The function that it gives ends this; when it
 * resolves, nothing more is cancelled.
 */
export function stopStatements(database: PgDatabase, signal: AbortSignal): () => Promise<void> {
  database.stoppedWithCare = true;
  return stopAll(database, signal);
}

/**
 * The same for whatever a command does before and beside that (reading the ledger, say), which may be broken off
 * at any moment; it gives way to stopStatements.
 */
export function stopCommand(database: PgDatabase, signal: AbortSignal): () => Promise<void> {
  return stopAll(database, signal, () => database.stoppedWithCare);
}

function stopAll(
  database: PgDatabase,
  signal: AbortSignal,
  givesWay: () => boolean = () => false,
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  let asking = Promise.resolve();
  const stop = (since: number) => {
    if (givesWay()) return;
    const how = performance.now() - since > PATIENCE_MS ? 'end' : 'cancel';
    asking = database.stop(how, signal.reason).then(() => {
      if (!over) timer = setTimeout(stop, EVERY_MS, since);
    });
  };
  const begin = () => stop(performance.now());
  if (signal.aborted) begin();
  else signal.addEventListener('abort', begin, { once: true });
  return () => {
    over = true;
    clearTimeout(timer);
    signal.removeEventListener('abort', begin);
    return asking;
  };
}

/**
 * Does what is left after a commit, which may be done twice: again, on another session, where the connection is lost under
 * it. It is asked for, and short, so it is not broken off; but from the moment that `signal` is aborted no lock is waited
 * for. What fails is left to the next command, and told as a warning: `done` says what
 * is committed, and whoever was told of a failure instead would do it twice. Does not throw.
 */
export async function afterCommit(
  { database, events }: { readonly database: PgDatabase; readonly events?: Events | undefined },
  signal: AbortSignal,
  done: string,
  work: () => Promise<void>,
): Promise<void> {
  const hurry = () => database.hurry(signal.reason);
  try {
    // Sessions may have been ended before the commit was known.
    if (signal.aborted) await database.recover();
    else signal.addEventListener('abort', hurry, { once: true });
    await work().catch(async (error: unknown) => {
      if (!isOutOfReach(error) || signal.aborted) throw error;
      await database.recover();
      await work();
    });
  } catch (error) {
    events?.warn?.(`${done}; the next command tidies up after it, since ${(error as Error).message}`);
  } finally {
    signal.removeEventListener('abort', hurry);
  }
}
