import type { Client } from 'pg';
import type { WindowPart } from '../../../../sinks/publish/window.js';
import {
  armGuard,
  disarmGuard,
  findGuards,
  guardPart,
} from '../../../../sinks/publish/write-guard/journal.js';
import { guardChecks } from '../../../../sinks/publish/write-guard/journal-sql.js';
import { holdGuard } from '../../../../sinks/publish/write-guard/lock.js';
import type { Guard, GuardedTable } from '../../../../sinks/publish/write-guard/names.js';
import type { Waiting } from '../../../../sinks/publish/write-guard/waiting.js';
import { distributedErrors } from '../../../core/errors/catalogue/distributed.js';
import { resumeErrors } from '../../../core/errors/catalogue/resume.js';
import type { Finding } from '../../../core/pipeline.js';
import { distributionOf } from '../../../db/catalog/distribution.js';
import { inTransaction } from '../../../db/catalog/session.js';
import { tableOid } from '../../../db/catalog/table.js';
import type { PgDatabase } from '../../../db/connect.js';
import type { Batch } from '../../../db/ledger/batches.js';
import { blockerLine } from '../../../db/locks/blockers.js';
import { isOwn, makeSchemas, noteSchemasSql } from '../../../db/own-schemas.js';
import { PINNED_BESIDE_CODE } from '../../../db/pinned.js';
import type { Events } from '../../given/events.js';
import { rerun } from '../../given/next-command.js';
import type { Job } from '../../job/job.js';
import { Change, type Site } from '../change.js';
import type { Replace } from '../replace/replace.js';
import { dropOwnEmpty } from '../schemas.js';
import { lockGuardFindings } from './lock-guard.js';

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
 * The guard over the live tables that the run relies on, from before the first row is read until the window: the journal
 * watches writers, the lock keeps them out, in a session that is held.
 */
export class WriteGuard extends Change {
  readonly question = 'publishing';
  /** The journal, once it is armed. */
  armed: Guard | undefined;
  /** The session that keeps writers out (--guard lock); the window must run in it. */
  held: Client | undefined;

  constructor(
    private readonly job: Job,
    private readonly replace: Replace,
  ) {
    super();
  }

  get tables(): GuardedTable[] {
    return guardedTables(this.job);
  }

  override async survey(): Promise<Finding[]> {
    const { surveyed } = this.replace;
    return this.job.options.guard !== 'lock' || surveyed === undefined
      ? []
      : lockGuardFindings(this.tables, surveyed);
  }

  /** Before the first row is read: a write that the guard misses is one that the source shows. */
  override async stage(): Promise<void> {
    const { database, guard = 'journal', events } = this.job.options;
    const { tables } = this;
    if (guard === 'off' || tables.length === 0) return;
    const waiting = telling(events, 'guard');
    if (guard === 'lock') {
      this.held = await database.connect(`batch ${this.job.batch} guard`, PINNED_BESIDE_CODE, 'cancelled');
      await holdGuard(this.held, tables, database.patience, waiting);
      return;
    }
    this.armed = guardOf(this.job.batch as string);
    await arm(database, this.armed, tables, waiting);
  }

  /** Throws refused `guard_gone` where writes to live may have gone unseen. */
  override async adopt(batch: Batch): Promise<void> {
    const { database } = this.job.options;
    if (await isArmed(database, guardOf(batch.id))) this.armed = guardOf(batch.id);
    else if (this.job.options.guard === 'journal' && this.tables.length > 0)
      throw resumeErrors.guard_gone({ batch: batch.id, afresh: rerun(batch) });
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    const { guard = 'journal' } = this.job.options;
    const { tables } = this;
    // A plan shows the journal that would be armed.
    const planned = this.job.batch === undefined && guard === 'journal' && tables.length > 0;
    const journal = planned ? guardOf(this.job.names.batch) : this.armed;
    return journal === undefined ? parts : guarded(journal, parts, tables);
  }

  override tidy(): Promise<void> {
    return this.discard();
  }

  override async discard(): Promise<void> {
    const { armed, held } = this;
    this.held = undefined;
    await held?.end().catch(() => {});
    if (armed === undefined) return;
    const { database, events } = this.job.options;
    await disarm(database, armed, telling(events, 'take the guard off'));
  }
}

/** The journal over the tables that a rollback takes out of live, from before they are looked through for later writes. */
export class WriteGuardUndo extends Change {
  readonly question = 'publishing';
  readonly #guard: Guard;
  #armed = false;

  constructor(
    private readonly site: Site,
    batch: string,
    /** None where later writes may be lost. */
    private readonly tables: readonly GuardedTable[],
  ) {
    super();
    this.#guard = guardOf(`undo_${batch}`);
  }

  /** Throws refused `distributed_writes`: nodes of Citus number their transactions by themselves, and have no triggers. */
  override async survey(): Promise<Finding[]> {
    const client = await this.site.database.session();
    for (const { schema, table } of this.tables) {
      const oid = await tableOid(client, schema, table);
      if (oid !== undefined && (await distributionOf(client, oid)) !== null)
        throw distributedErrors.distributed_writes({ table: `${schema}.${table}` });
    }
    return [];
  }

  override async stage(): Promise<void> {
    if (this.tables.length === 0) return;
    // An earlier attempt may have left its own, which has seen what is looked through now.
    await disarm(this.site.database, this.#guard);
    await arm(this.site.database, this.#guard, this.tables);
    this.#armed = true;
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    return this.#armed ? guarded(this.#guard, parts, this.tables) : parts;
  }

  override tidy(): Promise<void> {
    return this.discard();
  }

  override async discard(): Promise<void> {
    await disarm(this.site.database, this.#guard);
  }
}

/** Tells of each attempt that had to wait, and for whom. */
const telling = (events: Events | undefined, what: string): Waiting => ({
  onWait: (table, attempt, holders) =>
    events?.warn?.(
      `waiting to ${what} ${table} (attempt ${attempt}): ${holders.map(blockerLine).join('; ') || 'somebody holds a lock on it'}`,
    ),
});

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
  await armGuard(client, guard, tables, database.patience, waiting);
}

/** Takes a journal away that the batch has armed, wherever its tables are by now. Idempotent. */
export async function disarm(database: PgDatabase, guard: Guard, waiting: Waiting = {}): Promise<void> {
  if (!(await isOwn(database, batchOf(guard), guard.schema))) return;
  const client = await database.session();
  await disarmGuard(client, guard, database.patience, waiting);
  await dropOwnEmpty(database, batchOf(guard), guard.schema);
}

/** The batch whose ledger entry keeps account of the guard's schema. */
const batchOf = (guard: Guard): string => guard.batch.replace(/^undo_/, '');

/**
 * The parts, refusing in the window where one of `tables` was written to since the guard was armed; those
 * that no part publishes get one of their own. Each table is asked about once.
 */
function guarded(guard: Guard, parts: readonly WindowPart[], tables: readonly GuardedTable[]): WindowPart[] {
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
async function isArmed(database: PgDatabase, guard: Guard): Promise<boolean> {
  const found = await findGuards(await database.session(), guard.batch);
  return (
    found.some(({ guardSchema }) => guardSchema === guard.schema) &&
    (await isOwn(database, batchOf(guard), guard.schema))
  );
}
