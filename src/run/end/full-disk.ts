import { loadErrors } from '../../core/errors/catalogue/load.js';
import { isError } from '../../core/errors/is-error.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Suggestion } from '../../core/next.js';
import type { Database } from '../../core/run.js';
import type { PgDatabase } from '../../db/connect.js';
import { sqlstateOf } from '../../db/server-error.js';

const DISK_FULL = '53100';

/**
 * Where the server said, however deep in `error`, that a disk of its own is full: a failure `disk_full` that names the
 * tablespace and its folder, and says to free space there and then to do `next`. Any other error as it is. Asks
 * `database`, once its shared session is out of what failed; it need not answer. Does not throw.
 */
export async function namingFullDisk(
  database: PgDatabase,
  error: SluiceError,
  next: Suggestion,
): Promise<SluiceError> {
  const cause = fullDiskIn(error);
  if (cause === undefined) return error;
  const path = /"([^"/]*\/[^"]*)"/.exec(cause.message)?.[1] ?? '';
  await database.recover();
  const where = await placeOf(database, path).catch(() => undefined);
  const what = isError(error, 'disk_full')
    ? error.message
    : `the server has no disk space left: ${cause.message}`;
  const known = { ...error.facts, sqlstate: DISK_FULL, next: undefined };
  return where === undefined
    ? loadErrors.disk_full.found({ what, next }, known)
    : loadErrors.disk_full.inPlace({ what, where, next }, known);
}

/** The server's own error among those that led to `error`. */
function fullDiskIn(error: unknown): Error | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (sqlstateOf(at) === DISK_FULL) return at;
  return undefined;
}

/** What a file that the server names lies in, as an administrator knows it; the path is below its data directory. */
async function placeOf(database: Database, path: string): Promise<string | undefined> {
  const temporary = path.includes('/pgsql_tmp') ? ', in files of a sort or hash (see temp_tablespaces)' : '';
  const oid = /^pg_tblspc\/(\d+)\//.exec(path)?.[1];
  if (oid !== undefined) {
    const [space] = await database.query<{ name: string; folder: string }>(
      'SELECT spcname AS name, pg_tablespace_location(oid) AS folder FROM pg_tablespace WHERE oid = $1',
      [oid],
    );
    return space === undefined ? undefined : `the tablespace ${space.name} in ${space.folder}${temporary}`;
  }
  if (!/^(base|global|pg_\w+)\//.test(path)) return undefined;
  const [server] = await database.query<{ folder: string }>(
    `SELECT current_setting('data_directory') AS folder WHERE pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')`,
  );
  return `the server's data directory${server === undefined ? '' : ` ${server.folder}`}${temporary}`;
}
