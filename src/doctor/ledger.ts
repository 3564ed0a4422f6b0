import { command } from '../core/next.js';
import type { Finding } from '../core/pipeline.js';
import { bytes, plural } from '../core/plural.js';
import type { PgDatabase } from '../db/connect.js';
import { ledgerVersion } from '../db/ledger/open.js';
import { databaseRights } from '../run/check/rights.js';
import { cleanUp, KEPT_DAYS } from '../run/given/cleanup-command.js';
import { findLeftovers, keptInAll } from '../run/maintain/cleanup.js';
import type { Examined } from './examined.js';

/** What the role may do, what the ledger says, and what earlier batches have left. Throws refused `not_our_ledger`. */
export async function examineLedger(database: PgDatabase): Promise<Examined[]> {
  const rights: Examined = {
    name: 'rights',
    is: 'of the role in this database; what a pipeline needs of its tables, `check` says',
    findings: await databaseRights(database, []),
  };
  // Whoever may not read the ledger learns no more of it.
  if (rights.findings.some(({ severity }) => severity === 'error'))
    return [rights, { name: 'ledger', is: 'not asked: rights are missing', findings: [] }];
  const version = await ledgerVersion(database);
  if (version === 0)
    return [rights, { name: 'ledger', is: 'there is none: the first run makes it', findings: [] }];
  return [rights, { name: 'ledger', is: `version ${version}`, findings: [] }, ...(await left(database))];
}

async function left(database: PgDatabase): Promise<Examined[]> {
  const old = await findLeftovers(database, KEPT_DAYS);
  const broken = old.filter(({ kind }) => kind === 'staging' || kind === 'guard' || kind === 'batch');
  const kept = old.filter((each) => !broken.includes(each));
  const all = await keptInAll(database);
  const batches = [...new Set(broken.map(({ batch }) => batch))];
  const findings: Finding[] =
    kept.length === 0
      ? []
      : [
          {
            severity: 'note',
            message: `${bytes(kept.reduce((sum, each) => sum + each.bytes, 0))} of it are older than ${KEPT_DAYS} days`,
            next: command('cleanup', [], {}, { note: 'lists it; with --execute drops it' }),
          },
        ];
  return [
    {
      name: 'broken runs',
      is:
        batches.length === 0
          ? 'nothing is left of any'
          : `something is left of ${plural(batches.length, 'batch', 'batches')}: ${batches.join(', ')}`,
      findings:
        batches.length === 0
          ? []
          : [
              {
                severity: 'warning',
                message: `staging, guards or an open entry of batches that nobody works on`,
                next: [...batches.slice(0, 5).map((batch) => command('status', [batch])), cleanUp()],
              },
            ],
    },
    {
      name: 'kept copies',
      is: `${plural(all.tables, 'table')}, ${bytes(all.bytes)}, for rollbacks`,
      findings,
    },
  ];
}
