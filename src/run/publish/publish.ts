import type { Client } from 'pg';
import { type Published, publish } from '../../../sinks/publish/attempt.js';
import { describeBlocker } from '../../../sinks/publish/blockers.js';
import { schemasFor } from '../../../sinks/publish/replace/names.js';
import { replaceParts } from '../../../sinks/publish/replace/parts.js';
import { type RowPublish, rowParts } from '../../../sinks/publish/rows/parts.js';
import { rowRefusal } from '../../../sinks/publish/rows/refusals.js';
import { COUNTS_TABLE } from '../../../sinks/publish/rows/target.js';
import { type WindowPart, windowBudget } from '../../../sinks/publish/window.js';
import type { Guard } from '../../../sinks/publish/write-guard/names.js';
import { type Changes, changes } from '../../core/changes.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Target } from '../../core/target.js';
import type { PgDatabase } from '../../db/connect.js';
import { findBatch } from '../../db/ledger/batches.js';
import { type PublishRecord, publishSql } from '../../db/ledger/publish-sql.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import { qualified } from '../../db/quote.js';
import { isRowSecurity, rowSecurityError } from '../../db/row-security.js';
import { compatibilityParts, compatibilityRecords } from '../changes/compat-views.js';
import { codeOf, codeParts, codeRefusalOf } from '../changes/owners-code.js';
import { recordPart } from '../changes/records.js';
import { madeWith, viewParts } from '../changes/views.js';
import { guarded, guardedTables } from '../changes/write-guard.js';
import type { Job } from '../job/job.js';
import type { Prepared } from './prepare.js';

/** How often the window is tried when somebody else holds a lock that it needs. */
const ATTEMPTS = 20;

/** How long the window waits for one lock, and for all of them: below the server's deadlock_timeout of 1 s. */
const WINDOW_TIMES = { lockTimeoutMs: 150, statementTimeoutMs: 400 } as const;

/** The same for a window of `parts`: many tables take longer. */
export const timesOf = (parts: readonly WindowPart[]) => ({
  ...WINDOW_TIMES,
  statementTimeoutMs: windowBudget(parts, WINDOW_TIMES.statementTimeoutMs),
});

/** The parts of the publishing transaction for prepared staging, with the questions of a guard that is armed. */
export function partsOf(job: Job, prepared: Prepared, guard: Guard | undefined): WindowPart[] {
  const { staging, old } = job.names;
  const replaced = prepared.replace?.survey.tables ?? [];
  const rows: RowPublish[] = [...prepared.rows].map(([target, facts]) => ({
    facts,
    names: { staging, undo: old },
    ...(prepared.handed === undefined ? {} : { handed: prepared.handed.get(target) ?? 0 }),
    // A row that refers to a table which is replaced in the same window must see the new one.
    late: facts.live.parents.some((parent) =>
      replaced.some(({ schema, table }) => schema === parent.schema && table === parent.table),
    ),
  }));
  const parts = [
    ...codeParts(codeOf(job)),
    ...rowParts(rows),
    ...(prepared.replace === undefined
      ? []
      : replaceParts(prepared.replace.survey, prepared.replace.tables, job.names)),
    ...viewParts(prepared.views),
    ...recordPart(
      prepared.records,
      rows.some(({ late }) => late === true),
    ),
    ...compatibilityParts(job, prepared.oldNames),
  ];
  return guard === undefined ? parts : guarded(guard, parts, guardedTables(job));
}

/** What a publish did, by target. */
export interface PublishedChanges {
  readonly lockMs: number;
  readonly changes: ReadonlyMap<Target, Changes>;
}

/** Runs the publishing transaction; the ledger's record commits with it, or neither does. */
export async function publishBatch(job: Job, prepared: Prepared): Promise<PublishedChanges> {
  const { lockMs, answers } = await runWindow(job.options, {
    batch: job.batch as string,
    parts: partsOf(job, prepared, job.guard),
    ledger: [
      ...publishSql(job.batch as string, 'completed', recordsOf(job, prepared)),
      ...compatibilityRecords(job, prepared.oldNames),
    ],
    ...(job.held === undefined ? {} : { held: job.held }),
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

/** Runs a window for batch `batch`; `isDone` reads in the ledger whether it has committed. */
export async function runWindow(
  { database, events, log }: Pick<Job['options'], 'database' | 'events' | 'log'>,
  window: {
    readonly batch: string;
    readonly isDone: (ledger: PgDatabase) => Promise<boolean>;
    readonly held?: Client;
    readonly parts: readonly WindowPart[];
    readonly ledger: readonly string[];
    readonly rehearse: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Published> {
  const published = await publish(
    () => database.connect(`batch ${window.batch} publish`, PINNED_BESIDE_CODE, 'cancelled'),
    window.parts,
    {
      spare: () => database.spare(`batch ${window.batch} publish`, PINNED_BESIDE_CODE, 'cancelled'),
      attempts: ATTEMPTS,
      ...timesOf(window.parts),
      ledger: window.ledger,
      rehearse: window.rehearse,
      ...(window.held === undefined ? {} : { held: window.held }),
      signal: window.signal,
      onRetry: ({ attempt, of, reason, blockers, waitMs }) => {
        const who = blockers.map(describeBlocker).join('; ');
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
    // What our own statements raise names the rows or writes in question.
    const cause = error instanceof SluiceError ? error.facts.cause : error;
    const refusal = rowRefusal(cause) ?? codeRefusalOf(cause);
    if (refusal !== undefined || !isRowSecurity(cause)) throw refusal ?? error;
    throw await rowSecurityError(cause, (...asked) => database.query(...asked));
  });
  const { attempts, windowMs, lockMs } = published;
  log.info('window closed', { attempts, windowMs, lockMs });
  return published;
}

/** What the ledger is to hold of each published table. */
export function recordsOf(job: Job, prepared: Prepared): PublishRecord[] {
  const replaced = new Map(prepared.replace?.tables.map((table) => [table.target.oid, table]));
  const schemas = schemasFor(prepared.replace?.survey.tables ?? [], job.names);
  return job.tables.map(({ schema, table, target, oid }) => {
    const staged = replaced.get(oid);
    const views = madeWith(prepared.views, { oid });
    return {
      schema,
      table,
      mode: target.mode,
      rows: prepared.loaded.get(target) ?? 0,
      changes:
        target.mode === 'replace'
          ? replacing(prepared.loaded.get(target) ?? 0, job.liveRows.get(target) ?? null)
          : qualified(job.names.old, COUNTS_TABLE),
      facts: {
        live_oid: staged?.oid ?? oid,
        replaced_oid: staged === undefined ? null : oid,
        ...(staged === undefined ? {} : { writers: staged.writers }),
        ...(rewrites(prepared, oid) ? { rewrote_oids: true } : {}),
        ...(views.length === 0 ? {} : { views }),
      },
      // The replaced table keeps its OID and its name, in the batch's schema for its own one.
      retained: staged === undefined ? null : { schema: schemas.get(schema)?.old ?? job.names.old, oid },
    };
  });
}

/** Whether the publish rewrites OIDs of the table `oid` that others keep: then its rollback does, too. */
function rewrites({ replace }: Prepared, oid: number): boolean {
  return replace?.survey.keptOids.found.some(({ target }) => target === oid) === true;
}

/** A table that is replaced: all its rows go (null: nobody has counted them), and all that are staged come. */
export function replacing(staged: number, deleted: number | null): Changes {
  return changes({ staged, inserted: staged, deleted });
}
