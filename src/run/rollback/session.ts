import { isError } from '../../core/errors/is-error.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { isOutOfReach } from '../../db/connection-error.js';
import { asFailure } from '../end/failure.js';
import { stopStatements } from '../end/stopping.js';
import type { RunOptions } from '../given/options.js';

/** How a batch is rolled back. */
export interface RollbackOptions extends Pick<RunOptions, 'database' | 'log' | 'events' | 'signal'> {
  /** Only these tables of the batch, `schema.table` or the name alone. Default: all. */
  readonly tables?: readonly string[];
  /** Undo although rows were written since the publish, and lose those. */
  readonly discardWrites?: boolean;
  /** OIDs of the tables that rows of others keep become those of the tables that come back; so they do where the publish did it. */
  readonly rewriteOids?: boolean;
  /** As for a run: code of the tables' owners may run with the rights of the session. */
  readonly runOwnersCode?: boolean;
  /** Look and say what would be done; change nothing. Rows written since are told, not refused. */
  readonly dryRun?: boolean;
}

/**
 * Does a rollback's work, whose statements are cancelled when the signal is aborted, until `stopped` is called. Throws
 * `interrupted` then, and `connection_lost`, with the state that live is in.
 */
export async function undoing<T>(
  { database, signal = new AbortController().signal }: Pick<RollbackOptions, 'database' | 'signal'>,
  work: (signal: AbortSignal, stopped: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const stopped = stopStatements(database, signal);
  try {
    return await work(signal, stopped);
  } catch (error) {
    // What is lost behind the commit is told as a warning, and in the window it is asked what has become of it.
    const isBefore = signal.aborted || isOutOfReach(error);
    throw error instanceof SluiceError || !isBefore ? error : unchanged(asFailure(error, signal));
  } finally {
    await stopped();
  }
}

/** `error` with the state that a rollback leaves which did not commit: the window knows of publishing only. */
export function unchanged(error: SluiceError): SluiceError {
  if (isError(error, 'outcome_unknown')) return error;
  return error.but({ state: 'nothing was put back; live is as it was' });
}

/** `error` of a rollback whose leavings could not be taken away: the batch's phase tells the next command of them. */
export function leftBehind(error: SluiceError, why: unknown): SluiceError {
  const { facts } = error;
  return error.but({
    details: [
      ...(facts.details ?? []),
      `what it has prepared could not be tidied up: ${(why as Error).message}`,
    ],
    state: `${facts.state}; the next command tidies up`,
  });
}
