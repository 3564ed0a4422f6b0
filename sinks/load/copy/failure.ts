import { connectionErrors } from '../../../src/core/errors/catalogue/connection.js';
import { loadErrors } from '../../../src/core/errors/catalogue/load.js';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { isConnectionLoss, sqlstateOf } from '../../../src/db/server-error.js';

/** `error`, met while `table` was being loaded, as one that says what it means. */
export function copyFailure(error: unknown, table: string, state: string): SluiceError {
  if (error instanceof SluiceError) return error.with({ table, state });
  const message = error instanceof Error ? error.message : String(error);
  const sqlstate = sqlstateOf(error);
  const known = { state, cause: error, sqlstate };
  const of = { table, why: message };
  if (isConnectionLoss(error)) return connectionErrors.connection_lost.loading(of, known);
  if (sqlstate === '53100') return loadErrors.disk_full.loading(of, known);
  return sqlstate === undefined ? loadErrors.load_failed(of, known) : loadErrors.copy_failed(of, known);
}
