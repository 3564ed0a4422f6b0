import type { Client } from 'pg';
import { type Published, publish } from '../../../sinks/publish/attempt.js';
import { type WindowPart, windowBudget } from '../../../sinks/publish/window.js';
import type { Changes } from '../../core/changes.js';
import type { Target } from '../../core/target.js';
import type { PgDatabase } from '../../db/connect.js';
import { findBatch } from '../../db/ledger/batches.js';
import { publishSql } from '../../db/ledger/publish-sql.js';
import { blockerLine } from '../../db/locks/blockers.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { isRowSecurity, rowSecurityError } from '../../db/row-security.js';
import { causeOf } from '../changes/cause.js';
import type { Change } from '../changes/change.js';
import type { JobChanges } from '../changes/job-changes.js';
import { explained, ledgerOf, partsOf } from '../changes/sequence.js';
import type { Job } from '../job/job.js';

/** How often the window is tried when somebody else holds a lock that it needs. */
const ATTEMPTS = 20;

/** How long the window waits for one lock, and for all of them: below the server's deadlock_timeout of 1 s. */
const WINDOW_TIMES = { lockTimeoutMs: 150, statementTimeoutMs: 400 } as const;

/** The same for a window of `parts`: many tables take longer. */
export const timesOf = (parts: readonly WindowPart[]) => ({
  ...WINDOW_TIMES,
  statementTimeoutMs: windowBudget(parts, WINDOW_TIMES.statementTimeoutMs),
});

/** The ledger's statements of the publish, the tables in the order of the pipeline. */
export function publishLedger(job: Job, changes: JobChanges): string[] {
  const { published, statements } = ledgerOf(changes.all);
  const inOrder = job.tables.flatMap(({ schema, table }) =>
    published.filter((each) => each.schema === schema && each.table === table),
  );
  return [...publishSql(job.batch ?? '0', 'completed', inOrder), ...statements];
}

/** What a publish did, by target. */
export interface PublishedChanges {
  readonly lockMs: number;
  readonly changes: ReadonlyMap<Target, Changes>;
}

/** Runs the publishing transaction; the ledger's record commits with it, or neither does. Throws as the changes explain it. */
export async function publishBatch(
  job: Job,
  { all, guard }: JobChanges,
  ledger: readonly string[],
): Promise<PublishedChanges> {
  const { lockMs, answers } = await runWindow(job.options, {
    batch: job.batch as string,
    changes: all,
    ledger,
    ...(guard.held === undefined ? {} : { held: guard.held }),
    isDone: async (ledger) => (await findBatch(ledger, job.batch as string)).status === 'completed',
    rehearse: job.options.rehearse ?? false,
    signal: job.signal,
  });
  const changes = changesOf(job, answers);
  job.options.log.info('rows of the tables', {
    changes: Object.fromEntries([...changes].map(([{ table }, of]) => [table, of])),
  });
  return { lockMs, changes };
}

/** What the window has counted, out of its answers; the ledger has it where they were lost. */
function changesOf(job: Job, answers: Published['answers']): Map<Target, Changes> {
  const changes = new Map<Target, Changes>();
  for (const answer of answers) {
    const { table_schema: schema, table_name: name, ...counted } = answer;
    const table = job.tables.find((each) => each.schema === schema && each.table === name);
    if (table !== undefined) changes.set(table.target, counted as unknown as Changes);
  }
  return changes;
}

/**
 * Runs the window of `changes` for batch `batch`; `isDone` reads in the ledger whether it has committed. Throws as the changes
 * explain its error.
 */
export async function runWindow(
  { database, events, log }: Pick<Job['options'], 'database' | 'events' | 'log'>,
  window: {
    readonly batch: string;
    readonly isDone: (ledger: PgDatabase) => Promise<boolean>;
    readonly held?: Client;
    readonly changes: readonly Change[];
    readonly ledger: readonly string[];
    readonly rehearse: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Published> {
  const parts = partsOf(window.changes);
  const published = await publish(
    () => database.connect(`batch ${window.batch} publish`, PINNED_BESIDE_CODE, 'cancelled'),
    parts,
    {
      spare: () => database.spare(`batch ${window.batch} publish`, PINNED_BESIDE_CODE, 'cancelled'),
      attempts: ATTEMPTS,
      ...timesOf(parts),
      ledger: window.ledger,
      rehearse: window.rehearse,
      ...(window.held === undefined ? {} : { held: window.held }),
      signal: window.signal,
      onRetry: ({ attempt, of, reason, blockers, waitMs }) => {
        const who = blockers.map(blockerLine).join('; ');
        log.warn('the tables are locked by others', { attempt, of, reason, blockers });
        events?.warn?.(
          `attempt ${attempt} of ${of} gave way: ${reason}${who === '' ? '' : `; in the way: ${who}`}; again in ${Math.round(waitMs)} ms`,
        );
      },
      // The session that published is gone: another one reads what became of it.
      resolve: async () => {
        const other = database.sibling();
        try {
          return (await window.isDone(other)) ? 'committed' : 'not';
        } finally {
          await other.close();
        }
      },
    },
  ).catch(async (error: unknown) => {
    const cause = causeOf(error);
    const known = isRowSecurity(cause)
      ? await rowSecurityError(cause, (...asked) => database.query(...asked))
      : error;
    throw await explained(window.changes, known);
  });
  const { attempts, windowMs, lockMs } = published;
  log.info('window closed', { attempts, windowMs, lockMs });
  return published;
}
