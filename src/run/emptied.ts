import type { FlowAccount } from '../core/accounting.js';
import { refused } from '../core/errors.js';
import { again } from '../core/next.js';
import { qualified } from '../db/quote.js';
import type { Job } from './job.js';
import { loadedRows } from './prepare.js';

/**
 * Refuses to replace a table that has rows by one that has none: an export that broke, or a wrong file, looks
 * just like that. Throws `would_empty`; `allowEmpty` says that it is meant.
 */
export async function assertNotEmptied(job: Job, accounts: readonly FlowAccount[]): Promise<void> {
  if (job.options.allowEmpty === true) return;
  const loaded = loadedRows(job, accounts);
  const emptied: string[] = [];
  for (const { target, schema, table, missing } of job.tables) {
    if (missing === true || target.mode !== 'replace' || loaded.get(target) !== 0) continue;
    const [live] = await job.options.database.query<{ filled: boolean }>(
      `SELECT EXISTS (SELECT FROM ONLY ${qualified(schema, table)}) AS filled`,
    );
    if (live?.filled === true) emptied.push(`${schema}.${table}`);
  }
  if (emptied.length === 0) return;
  throw refused('would_empty', `no row was loaded, and ${emptied.join(', ')} would be emptied`, {
    next: [
      'check that the input is the one you mean',
      again({ flags: { allowEmpty: true } }, { lead: 'if it is' }),
    ],
  });
}
