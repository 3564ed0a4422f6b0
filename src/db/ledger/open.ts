import { readFileSync } from 'node:fs';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { packageFile } from '../../core/package.js';
import type { Database } from '../../core/run.js';
import { closeSchemas } from '../close.js';
import { ident } from '../quote.js';
import { sqlstateOf } from '../server-error.js';
import { LEDGER_OWNER, ledgerThere } from './trust.js';

const VERSION = 12;

/**
 * Makes the ledger's schema where it is missing, and adds what an older one lacks. Two commands at once are
 * safe: the DDL runs under an advisory lock. Throws `ledger_newer` where a newer Sluice has been here, `no_ledger_rights` where the
 * role may not create it.
 */
export async function openLedger(database: Pick<Database, 'query'>): Promise<void> {
  const have = await ledgerVersion(database);
  if (have === VERSION) return;
  if (have > VERSION) throw ledgerErrors.ledger_newer({ have, known: VERSION });
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
    if (sqlstateOf(error) === '42501') throw ledgerErrors.no_ledger_rights({ cause: error });
    throw error instanceof SluiceError
      ? error
      : ledgerErrors.ledger({ why: (error as Error).message }, { cause: error });
  }
}

/** The version of the ledger in this database; 0 where there is none. Throws refused `not_our_ledger`. */
export async function ledgerVersion(database: Pick<Database, 'query'>): Promise<number> {
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
  if (have === 0) throw ledgerErrors.no_ledger();
}
