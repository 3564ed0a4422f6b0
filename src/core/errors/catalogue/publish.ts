import { again, command, type NextStep } from '../../next.js';
import { plural } from '../../plural.js';
import { failure, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED, STAGING_KEPT, UNTOUCHED } from './state.js';

const NOT_PUBLISHED = `nothing was published; ${STAGING_KEPT}`;

/** What to do about event triggers that change tables of ours. */
const EVENT_TRIGGERS =
  'have its function pass over schemas whose names begin with sluice (schema_name of pg_event_trigger_ddl_commands()), or ALTER EVENT TRIGGER … DISABLE for the run';

/** Code of the owners of tables, which would run as this role. */
export const OWNERS_CODE_RUNS =
  'code of the tables’ owners would run with the rights of this role, which has more than they';

/** Tables that could not be locked; `table`: where it is one. */
interface NotLocked {
  readonly names: string;
  readonly attempts: number;
  readonly table: string | undefined;
}

const AS_THEY_WERE = 'the tables are as they were';

/** Errors of the publishing transaction. */
export const publishErrors = topic({
  publish_slow: refusal(({ tables, what, ms }: { tables: number; what: string; ms: number }) => ({
    says: `the publish of ${plural(tables, 'table')} took too long: ${what} was not done after ${ms} ms`,
    details: ['Nobody was in the way: the server itself was slow, or the tables are many.'],
    state: NOT_PUBLISHED,
    next: again({}, { lead: 'when the server has less to do, or with fewer tables at once' }),
  })),
  /** `first`: what lets the ledger be asked. */
  outcome_unknown: failure(({ first }: { first: readonly NextStep[] }) => ({
    says: 'the connection was lost during the publish, and its outcome is not known',
    state: 'all of it is published, or none: the ledger knows',
    next: [...first, command('status', [], {}, { note: 'says which' })],
  })),
  guard_lost: refusal(() => ({
    says: 'the session that kept writers out was lost before the publish was done',
    state: NOT_PUBLISHED,
    next: [
      again({}, { lead: 'rows may have been written since, so read the source again' }),
      again({ flags: { guard: 'journal' } }, { lead: 'or with a guard that outlives a session' }),
    ],
  })),
  prepared_transaction: refusal(() => ({
    says: 'a prepared transaction holds a lock on a table to be published',
    state: NOT_PUBLISHED,
    next: again({}, { lead: 'COMMIT PREPARED or ROLLBACK PREPARED it, then' }),
  })),
  locked: refusal(({ attempts, why }: { attempts: number; why: string }) => ({
    says: `the tables could not be locked in ${plural(attempts, 'attempt')}: ${why}`,
    state: NOT_PUBLISHED,
    next: again(
      {},
      { lead: 'wait for these sessions, or end them with SELECT pg_terminate_backend(pid); then' },
    ),
  })),
  lock_not_got: {
    sessions: failure(({ names, attempts, table }: NotLocked) => ({
      says: `${names} could not be locked in ${plural(attempts, 'attempt')}`,
      table,
      state: AS_THEY_WERE,
      next: again({}, { lead: 'wait for those sessions or end them, then' }),
    })),
    prepared: failure(({ names, attempts, table }: NotLocked) => ({
      says: `${names} could not be locked in ${plural(attempts, 'attempt')}`,
      table,
      state: AS_THEY_WERE,
      next: again({}, { lead: 'COMMIT PREPARED or ROLLBACK PREPARED what is prepared, then' }),
    })),
  },
  catalog_changed: {
    stopped: refusal(({ why }: { why: string }) => ({
      says: `the publish was stopped: ${why}`,
      state: NOT_PUBLISHED,
      next: again({}, { note: 'the tables are surveyed anew' }),
    })),
    otherTable: refusal(({ table }: { table: string }) => ({
      says: `${table} is another table now`,
      table,
      state: UNTOUCHED,
      next: [again({}, { lead: 'load it again' }), 'or give the table that was there its name back'],
    })),
  },
  not_alike: refusal(({ table, why }: { table: string; why: string }) => ({
    says: `the publish was stopped: ${why}`,
    table,
    state: NOT_PUBLISHED,
  })),
  publish: failure(({ why }: { why: string }) => ({
    says: `the publish failed: ${why}`,
    state: NOT_PUBLISHED,
    next: again({}, { lead: 'fix the cause, then' }),
  })),
  window_refused: failure(({ sqlstate }: { sqlstate: string }) => ({
    says: `the publish was refused (${sqlstate}) without saying why`,
    sqlstate,
    state: AS_THE_COMMAND_ENDS,
  })),
  event_trigger: {
    made: refusal(({ table, lines }: { table: string; lines: readonly string[] }) => ({
      says: `event triggers change the tables that are made for ${table}, and that cannot be taken off: ${lines.join('; ')}`,
      table,
      state: NOTHING_PUBLISHED,
      next: EVENT_TRIGGERS,
    })),
    /** `first`: what differs, with `, …` where that is not all. */
    published: refusal(({ table, first }: { table: string; first: string }) => ({
      says: `event triggers change ${table} as it is published (${first})`,
      table,
      state: NOT_PUBLISHED,
      next: EVENT_TRIGGERS,
    })),
  },
  /** `next`: who may. */
  owners_code: refusal(({ next }: { next: readonly NextStep[] }) => ({
    says: OWNERS_CODE_RUNS,
    state: UNTOUCHED,
    next,
  })),
});
