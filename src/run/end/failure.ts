import { contextOf } from '../../../sinks/publish/context.js';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { connectionErrors } from '../../core/errors/catalogue/connection.js';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { runErrors } from '../../core/errors/catalogue/run.js';
import { isError } from '../../core/errors/is-error.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { isOutOfReach } from '../../db/connection-error.js';
import { isConnectionLoss, isFileError, type ServerError, sqlstateOf } from '../../db/server-error.js';

/**
 * Whatever was thrown, as an error that says what happened and what to do. A run that was asked to stop
 * ends as interrupted, whatever its statements said when they were cancelled; only where it is not known
 * whether the publish committed, that is the news.
 */
export function asFailure(error: unknown, signal: AbortSignal): SluiceError {
  const known = error instanceof SluiceError ? error : undefined;
  if (signal.aborted && !isError(known, 'outcome_unknown')) {
    const { reason } = signal;
    // It is that already, and knows the state of things.
    if (known !== undefined && reason instanceof SluiceError && known.message === reason.message)
      return known;
    return reason instanceof SluiceError ? reason : commandErrors.interrupted.stopped();
  }
  return known ?? translated(error);
}

/**
 * Whether nothing more can be asked after `error`: the run was asked to stop, or the database is out of reach. Any other
 * error is an answer, to the one question that met it.
 */
export function endsAsking(error: unknown): boolean {
  return (error instanceof SluiceError && error.kind === 'interrupted') || isOutOfReach(error);
}

function translated(error: unknown): SluiceError {
  const said = error instanceof Error ? error.message : String(error);
  const sqlstate = sqlstateOf(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const of = { why: said };
  const known = { cause: error, sqlstate };
  if (code === 'ENOSPC' || code === 'EDQUOT') return loadErrors.disk_full.onThisMachine(of, known);
  if (isConnectionLoss(error)) return connectionErrors.connection_lost.toDatabase(of, known);
  if (isFileError(error)) return fileErrors.file_error(of, known);
  switch (sqlstate) {
    case undefined:
      return runErrors.unexpected(of, known);
    case '53100':
      return loadErrors.disk_full.onServer(of, known);
    case '53200':
      return /max_locks_per_transaction/.test((error as ServerError).hint ?? '')
        ? runErrors.server_limit.locks(of, known)
        : runErrors.server_limit.other(of, known);
    case '53400':
      return runErrors.server_limit.other(of, known);
    case '57014':
      return runErrors.cancelled(of, known);
    case '42501':
      return runErrors.no_rights(of, known);
    default: {
      const { detail, hint } = error as ServerError;
      const context = contextOf(error);
      const lines = [...(detail === undefined ? [] : [detail]), ...context];
      const details = lines.length === 0 ? undefined : lines;
      // Our statements are run along a search_path of their own, and find all that they name themselves.
      const blind = NOT_FOUND.includes(sqlstate) && context.some((line) => /function/.test(line));
      return blind
        ? runErrors.database_error.blind(of, { ...known, details })
        : runErrors.database_error.other({ ...of, hint }, { ...known, details });
    }
  }
}

/** A function, table, type or schema that is not there. */
const NOT_FOUND = ['42883', '42P01', '42704', '3F000'];
