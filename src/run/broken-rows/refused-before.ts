import { putBackSql, refusedTable } from '../../../sinks/publish/constraints/refused.js';
import { totals } from '../../core/accounting.js';
import { forgetRejectsBehind, rejectPages } from '../../db/ledger/rejects.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Checked } from '../check/check.js';
import type { Job } from '../job/job.js';
import { assertAccounted } from '../load/accounted.js';
import { rejectRefused } from './refused-rows.js';
import { subjectsOf } from './subjects.js';

/** Whether an earlier attempt at the batch has taken rows out of staging because they break a constraint. */
async function hasRefused(job: Job): Promise<boolean> {
  const [found] = await job.options.database.query<{ there: boolean }>(
    'SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there',
    [refusedTable(job.names.staging)],
  );
  return found?.there === true;
}

/**
 * Puts rows that an earlier attempt has taken out of staging back: its load is resumed, and asks them again when it
 * is complete.
 */
export async function putBackRefused(job: Job, changes: JobChanges): Promise<void> {
  if (!(await hasRefused(job))) return;
  for (const subject of subjectsOf(job, changes))
    await job.options.database.query(putBackSql(subject, job.names.staging));
}

/**
 * Brings the accounts of a load that an earlier attempt has completed up to date, with the rows that it has taken out of
 * staging afterwards and did not come to write into the ledger. Takes the stored rejects over. Throws as assertAccounted
 * does.
 */
export async function settleBefore(job: Job, { flows }: Pick<Checked, 'flows'>): Promise<void> {
  const { database } = job.options;
  const { accounts } = job.state;
  // What was stored after those of the accounts is told again.
  await forgetRejectsBehind(database, job.batch as string, totals(accounts).rejected);
  for await (const page of rejectPages(database, job.batch as string)) job.rejects.takeOver(page);
  if (!(await hasRefused(job))) return;
  const left = await database.query(
    `UPDATE ${refusedTable(job.names.staging)} SET told = false WHERE NOT settled RETURNING at`,
  );
  if (left.length === 0) return;
  job.state.accounts = await rejectRefused(job, flows, accounts);
  assertAccounted(job);
}
