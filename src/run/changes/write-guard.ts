import type { WindowPart } from '../../../sinks/publish/window.js';
import { armGuard, disarmGuard, findGuards, guardPart } from '../../../sinks/publish/write-guard/journal.js';
import { guardChecks } from '../../../sinks/publish/write-guard/journal-sql.js';
import { holdGuard } from '../../../sinks/publish/write-guard/lock.js';
import type { Guard, GuardedTable } from '../../../sinks/publish/write-guard/names.js';
import { holderLine, type Waiting } from '../../../sinks/publish/write-guard/waiting.js';
import { inTransaction } from '../../db/catalog/session.js';
import type { PgDatabase } from '../../db/connect.js';
import { isOwn, makeSchemas, noteSchemasSql } from '../../db/own-schemas.js';
import { PINNED_BESIDE_CODE } from '../../db/pinned.js';
import type { Job } from '../job/job.js';
import { dropOwnEmpty } from './discard.js';

/** The guard of a batch: a journal in a schema of its own, which goes with it. */
export function guardOf(batch: string): Guard {
  return { batch, schema: `sluice_guard_${batch}` };
}

/**
 * The live tables whose contents the run relies on: those that it publishes, and those that the pipeline
 * guards besides. An append relies on nothing that is in the table.
 */
export function guardedTables(job: Pick<Job, 'tables' | 'watched'>): GuardedTable[] {
  const published = job.tables.filter(({ target, missing }) => target.mode !== 'append' && missing !== true);
  const all = [...published, ...job.watched];
  const names = new Map(all.map(({ schema, table }) => [`${schema}.${table}`, { schema, table }]));
  return [...names.values()];
}

/**
 * Guards the job's tables as its options want, from now on: before the first row of a source is read. The
 * journal watches writers, the lock keeps them out, in a session that the job then holds.
 */
export async function raiseGuard(job: Job): Promise<void> {
  const { database, guard = 'journal', events } = job.options;
  const tables = guardedTables(job);
  if (guard === 'off' || tables.length === 0) return;
  const waiting: Waiting = {
    signal: job.signal,
    onWait: (table, attempt, holders) =>
      events?.warn?.(
        `waiting to guard ${table} (attempt ${attempt}): ${holders.map(holderLine).join('; ') || 'somebody holds a lock on it'}`,
      ),
  };
  if (guard === 'lock') {
    job.held = await database.connect(`batch ${job.batch} guard`, PINNED_BESIDE_CODE, 'cancelled');
    await holdGuard(job.held, tables, waiting);
    return;
  }
  job.guard = guardOf(job.batch as string);
  await arm(database, job.guard, tables, waiting);
}

/** Takes the job's guard away again, whichever it is. Idempotent. */
export async function lowerGuard(job: Job): Promise<void> {
  const { guard, held } = job;
  job.held = undefined;
  await held?.end().catch(() => {});
  if (guard === undefined) return;
  await disarm(job.options.database, guard, {
    onWait: (table, attempt, holders) =>
      job.options.events?.warn?.(
        `waiting to take the guard off ${table} (attempt ${attempt}): ${holders.map(holderLine).join('; ') || 'somebody holds a lock on it'}`,
      ),
  });
}

/** Watches the live tables from now on. Throws refused `schema_taken`. */
export async function arm(
  database: PgDatabase,
  guard: Guard,
  tables: readonly GuardedTable[],
  waiting: Waiting = {},
): Promise<void> {
  const client = await database.session();
  const batch = batchOf(guard);
  await inTransaction(client, [], async () => {
    await makeSchemas(client, [guard.schema], { batch });
    await client.query(noteSchemasSql(batch, [guard.schema]));
  });
  await armGuard(client, guard, tables, waiting);
}

/** Takes a journal away that the batch has armed, wherever its tables are by now. Idempotent. */
export async function disarm(database: PgDatabase, guard: Guard, waiting: Waiting = {}): Promise<void> {
  if (!(await isOwn(database, batchOf(guard), guard.schema))) return;
  const client = await database.session();
  await disarmGuard(client, guard, waiting);
  await dropOwnEmpty(database, batchOf(guard), guard.schema);
}

/** The batch whose ledger entry keeps account of the guard's schema. */
const batchOf = (guard: Guard): string => guard.batch.replace(/^undo_/, '');

/**
 * The parts, refusing in the window where one of `tables` was written to since the guard was armed; those
 * that no part publishes get one of their own. Each table is asked about once.
 */
export function guarded(
  guard: Guard,
  parts: readonly WindowPart[],
  tables: readonly GuardedTable[],
): WindowPart[] {
  const asked = new Set<string>();
  const published = parts.map((part) => {
    const table = tables.find((each) => nameOf(each) === part.table);
    if (table === undefined || asked.has(part.table)) return part;
    asked.add(part.table);
    // An append takes no lock of its own, and the guard's verdict holds only where nobody can write any more.
    const locked = part.locks.some((lock) => lock.schema === table.schema && lock.table === table.table);
    const lock = { ...table, mode: 'SHARE ROW EXCLUSIVE' as const, members: true };
    const locks = locked ? part.locks : [...part.locks, lock];
    return { ...part, locks, rechecks: [...part.rechecks, ...guardChecks(guard, table)] };
  });
  const others = tables.filter((table) => !asked.has(nameOf(table)));
  return [...others.map((table) => guardPart(guard, table)), ...published];
}

const nameOf = ({ schema, table }: GuardedTable) => `${schema}.${table}`;

/** Whether an earlier command has left this guard armed, for a batch that waits to be published. */
export async function isArmed(database: PgDatabase, guard: Guard): Promise<boolean> {
  const found = await findGuards(await database.session(), guard.batch);
  return (
    found.some(({ guardSchema }) => guardSchema === guard.schema) &&
    (await isOwn(database, batchOf(guard), guard.schema))
  );
}
