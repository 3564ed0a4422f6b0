import { readFileSync } from 'node:fs';
import { failed, refused, usage } from '../../core/errors/author.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { again, command } from '../../core/next.js';
import { packageFile } from '../../core/package.js';
import type { Database } from '../../core/run.js';
import { closeSchemas } from '../close.js';
import { ident } from '../quote.js';
import { LEDGER_OWNER, ledgerThere } from './trust.js';

const VERSION = 9;

/**
 * Makes the ledger's schema where it is missing, and adds what an older one lacks. Two commands at once are
 * safe: the DDL runs under an advisory lock. Throws `ledger_newer` where a newer Sluice has been here, `no_ledger_rights` where the
 * role may not create it.
 */
export async function openLedger(database: Database): Promise<void> {
  const have = await ledgerVersion(database);
  if (have === VERSION) return;
  if (have > VERSION)
    throw refused('ledger_newer', `the ledger is of version ${have}; this Sluice knows version ${VERSION}`, {
      next: 'use the newer Sluice that made it',
    });
  const sql = readFileSync(packageFile('src/db/ledger/schema.sql'), 'utf8');
  try {
    await database.query(
      "BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('sluice ledger'))",
    );
    // Without IF NOT EXISTS: who was quicker by a moment has made something else, and this fails.
    if (!(await ledgerThere(database)))
      await database.query(`CREATE SCHEMA sluice; ${closeSchemas(['sluice'], ['schema'])}`);
    // Who shares the ledger of a role makes it that role's, for all who do.
    const [other] = await database.query<{ owner: string }>(LEDGER_OWNER);
    if (other !== undefined) await database.query(`SET LOCAL ROLE ${ident(other.owner)}`);
    await database.query(`${sql}; COMMIT;`);
  } catch (error) {
    await database.query('ROLLBACK').catch(() => {});
    if ((error as { code?: string }).code === '42501')
      throw failed('no_ledger_rights', 'the role may not create the schema "sluice" for the ledger', {
        sqlstate: '42501',
        cause: error,
        state: 'nothing was written',
        next: [
          'as an owner of the database: GRANT CREATE ON DATABASE … TO the role',
          'or let an owner of the database make the ledger once (the command init, with the URL of the owner)',
        ],
      });
    throw error instanceof SluiceError
      ? error
      : failed('ledger', `the ledger could not be made: ${(error as Error).message}`, {
          cause: error,
          state: 'nothing was written',
          next: again({}, { lead: 'fix what the server says, then' }),
        });
  }
}

/** The version of the ledger in this database; 0 where there is none. Throws refused `not_our_ledger`. */
export async function ledgerVersion(database: Database): Promise<number> {
  if (!(await ledgerThere(database))) return 0;
  const [there] = await database.query<{ there: boolean }>(
    "SELECT pg_catalog.to_regclass('sluice.ledger_version') IS NOT NULL AS there",
  );
  if (there?.there !== true) return 0;
  const [row] = await database.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM sluice.ledger_version',
  );
  return row?.version ?? 0;
}

/** For commands on batches: throws a usage error where nothing was ever run in this database. */
export async function requireLedger(database: Database): Promise<void> {
  const have = await ledgerVersion(database);
  if (have !== 0 && have !== VERSION) await openLedger(database);
  if (have === 0)
    throw usage('no_ledger', 'no pipeline was ever run in this database', {
      next: ['check that --database-url names the right one', command('list')],
    });
}
