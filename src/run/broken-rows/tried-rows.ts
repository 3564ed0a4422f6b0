import type { Client } from 'pg';
import { refuseAlone, refusedTableSql } from '../../../sinks/publish/constraints/refused.js';
import type { Subject } from '../../../sinks/publish/constraints/subject.js';
import { tryRows } from '../../../sinks/publish/constraints/trial.js';
import { rowTrials } from '../../../sinks/publish/rows/parts.js';
import { inTransaction } from '../../db/catalog/session.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import type { JobChanges } from '../changes/job-changes.js';
import type { Job } from '../job/job.js';

/** Rows that are found one by one: beyond these the publish is refused as it was, since others wait for its locks. */
const MOST_ALONE = 5_000;

/** How long the trial waits for a lock. */
const LOCK_MS = 10_000;

/** Tries the publish in a transaction that is rolled back, and takes out of staging what it refuses; how many rows. */
export async function refuseTried(
  job: Job,
  { rows, replace, guard }: JobChanges,
  subjects: readonly Subject[],
): Promise<number> {
  // Of tables that are swapped in the same window the others would see what live is now.
  if (subjects.length === 0 || replace.surveyed !== undefined || subjects.length < rows.facts.size) return 0;
  const { staging } = job.names;
  const publishes = subjects.map(({ facts, names }) => ({ facts, names }));
  const over = `sluice_trial_${job.batch}`;
  const alone = await rolledBack(job, guard.held, (client) =>
    tryRows(client, rowTrials(publishes, over), {
      staging,
      over,
      most: MOST_ALONE,
      goOn: () => job.signal.throwIfAborted(),
    }),
  );
  const client = await job.options.database.session();
  await inTransaction(client, [refusedTableSql(staging)], async () => {
    for (const subject of subjects) {
      const { schema, table } = subject.facts.target;
      const own = alone.filter((each) => each.schema === schema && each.table === table);
      await refuseAlone(client, subject, staging, own);
    }
  });
  return alone.length;
}

/** Runs `work` in a transaction that is rolled back whatever comes of it: where writers are kept out, in that session. */
async function rolledBack<T>(
  job: Job,
  held: Client | undefined,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = held ?? (await job.options.database.connect(`batch ${job.batch} trial`, PINNED_BESIDE_CODE));
  const [begin, end] =
    held === undefined
      ? ['BEGIN', 'ROLLBACK']
      : ['SAVEPOINT sluice_trial', 'ROLLBACK TO SAVEPOINT sluice_trial; RELEASE SAVEPOINT sluice_trial'];
  try {
    await client.query(
      `${begin}; SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`,
    );
    return await work(client);
  } finally {
    await client.query(end as string).catch(() => {});
    if (held === undefined) await client.end().catch(() => {});
  }
}
