import { createHash } from 'node:crypto';
import type { Database } from '../../core/run.js';

/** Of a database's name in the name of a file. */
const LONGEST_NAME = 40;

/**
 * The name of the log of a batch, which is no other batch's: numbers begin at 1 in every ledger, and several may be
 * used from one folder. It tells the database by its name, and the ledger by a hash of what is unlike even where a
 * database was made anew, or restored elsewhere, under the same name. The ledger must be there.
 */
export async function logName(database: Pick<Database, 'query'>, batch: string): Promise<string> {
  const [facts] = await database.query<{ name: string; ids: string; control: boolean }>(
    `SELECT current_database() AS name, concat_ws(' ', d.oid, n.oid) AS ids,
            has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS control
     FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = 'sluice'`,
  );
  const { name = '', ids = '', control = false } = facts ?? {};
  // Some hosts of databases let nobody ask it.
  const [server] = control
    ? await database.query<{ id: string }>('SELECT system_identifier::text AS id FROM pg_control_system()')
    : [];
  const hash = createHash('sha256')
    .update(`${server?.id ?? ''} ${ids}`)
    .digest('hex')
    .slice(0, 8);
  return `${name.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, LONGEST_NAME)}-${hash}-${batch}.log`;
}
