import { contextOf } from '../../../sinks/publish/context.js';
import { failed, interrupted } from '../../core/errors/author.js';
import { type ErrorFacts, SluiceError } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';
import { isConnectionLoss, isFileError, sqlstateOf } from '../../db/server-error.js';

/**
 * Whatever was thrown, as an error that says what happened and what to do. A run that was asked to stop
 * ends as interrupted, whatever its statements said when they were cancelled; only where it is not known
 * whether the publish committed, that is the news.
 */
export function asFailure(error: unknown, signal: AbortSignal): SluiceError {
  const known = error instanceof SluiceError ? error : undefined;
  if (signal.aborted && known?.code !== 'outcome_unknown') {
    const { reason } = signal;
    return reason instanceof SluiceError ? reason : interrupted();
  }
  return known ?? translated(error);
}

function translated(error: unknown): SluiceError {
  const said = error instanceof Error ? error.message : String(error);
  const sqlstate = sqlstateOf(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const facts: ErrorFacts = { cause: error, ...(sqlstate === undefined ? {} : { sqlstate }) };
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return failed('disk_full', `no space left on a disk of this machine: ${said}`, {
      ...facts,
      next: again({}, { lead: 'free space there, or put logs, backups and scratch files elsewhere; then' }),
    });
  if (isConnectionLoss(error))
    return failed('connection_lost', `the connection to the database was lost: ${said}`, {
      ...facts,
      next: again({}, { lead: 'see the log of the server for why, then' }),
    });
  if (isFileError(error))
    return failed('file_error', `a file or folder of this machine cannot be used: ${said}`, {
      ...facts,
      next: again({}, { lead: 'see to its rights and its path, then' }),
    });
  switch (sqlstate) {
    case undefined:
      return failed('unexpected', said, {
        ...facts,
        next: 'this is a fault of the pipeline’s code or of Sluice: fix the code that is named, or report it with the stack trace',
      });
    case '53100':
      return failed('disk_full', `the server has no disk space left: ${said}`, {
        ...facts,
        next: again({}, { lead: 'free space on the server, then' }),
      });
    case '53200':
      if (/max_locks_per_transaction/.test((error as { hint?: string }).hint ?? ''))
        return failed('server_limit', `the server has no room for more locks: ${said}`, {
          ...facts,
          next: [
            'raise max_locks_per_transaction (64 by default; twice the tables of the run is enough): ALTER SYSTEM SET max_locks_per_transaction = 512, then restart the server',
            again({}, { lead: 'or fewer tables in one run' }),
          ],
        });
      return limit(said, facts);
    case '53400':
      return limit(said, facts);
    case '57014':
      return failed('cancelled', `the server cancelled a statement: ${said}`, {
        ...facts,
        next: again(
          {},
          { lead: 'somebody, or a timeout of the role or database, stopped it: see to that, then' },
        ),
      });
    case '42501':
      return failed('no_rights', `the role may not do that: ${said}`, {
        ...facts,
        next: again({}, { lead: 'as an owner grant it, or use a role that may; then' }),
      });
    default: {
      const { detail, hint } = error as { detail?: string; hint?: string };
      const context = contextOf(error);
      const details = [...(detail === undefined ? [] : [detail]), ...context];
      // Our statements are run along a search_path of their own, and find all that they name themselves.
      const blind = NOT_FOUND.includes(sqlstate) && context.some((line) => /function/.test(line));
      const next = blind ? BLIND : hint;
      return failed('database_error', `the database refused: ${said}`, {
        ...facts,
        ...(details.length === 0 ? {} : { details }),
        ...(next === undefined ? {} : { next }),
      });
    }
  }
}

/** A function, table, type or schema that is not there. */
const NOT_FOUND = ['42883', '42P01', '42704', '3F000'];

const BLIND = [
  'an index or CHECK calls the function that is named, which looks for what it uses along the search_path: have it name that with its schema',
  'or, as its owner: ALTER FUNCTION … SET search_path = …   (as dumping and restoring the database needs it, too)',
];

function limit(said: string, facts: ErrorFacts): SluiceError {
  return failed('server_limit', `the server came to a limit of its own: ${said}`, {
    ...facts,
    next: again({}, { lead: 'raise that limit (see its name above), then' }),
  });
}
