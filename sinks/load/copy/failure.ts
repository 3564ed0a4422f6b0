import { failed } from '../../../src/core/errors/author.js';
import { type ErrorFacts, SluiceError } from '../../../src/core/errors/sluice-error.js';
import { again } from '../../../src/core/next.js';
import { isConnectionLoss, sqlstateOf } from '../../../src/db/server-error.js';

/** `error`, met while `table` was being loaded, as one that says what it means. */
export function copyFailure(error: unknown, table: string, state: string): SluiceError {
  if (error instanceof SluiceError) return error.with({ table, state });
  const message = error instanceof Error ? error.message : String(error);
  const sqlstate = sqlstateOf(error);
  const facts: ErrorFacts = {
    table,
    state,
    cause: error,
    ...(sqlstate === undefined ? {} : { sqlstate }),
  };
  if (isConnectionLoss(error)) {
    return failed('connection_lost', `the connection that loads ${table} was lost: ${message}`, {
      ...facts,
      next: again({}, { lead: 'see the server log for why, then' }),
    });
  }
  if (sqlstate === '53100') {
    return failed('disk_full', `the server has no disk space left to load ${table}: ${message}`, {
      ...facts,
      next: again({}, { lead: 'free space on the server, then' }),
    });
  }
  const next = again({}, { lead: 'fix what it says, then' });
  if (sqlstate === undefined)
    return failed('load_failed', `loading ${table} failed: ${message}`, { ...facts, next });
  return failed('copy_failed', `the server refused to load ${table}: ${message}`, { ...facts, next });
}
