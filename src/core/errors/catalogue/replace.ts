import { again, type Next } from '../../next.js';
import { noun, plural } from '../../plural.js';
import { failure, refusal, topic } from './entry.js';
import { NOTHING_CHANGED, OLD_STILL_THERE, STAGING_KEPT, STILL_THERE, UNTOUCHED } from './state.js';

/** A foreign key that a replaced table is to have again. */
interface Key {
  readonly key: string;
  readonly table: string;
}

const KEYLESS = 'live tables are untouched; no lock was taken on it that stops reads or writes';

/** Errors of replacing tables, of the tables that were replaced, and of their coming back. */
export const replaceErrors = topic({
  cannot_replace: refusal(
    ({ table, object, reason, next }: { table: string; object: string; reason: string; next: Next }) => ({
      says: `${table} cannot be replaced: ${object}: ${reason}`,
      table,
      state: NOTHING_CHANGED,
      next,
    }),
  ),
  catalog_busy: failure(() => ({
    says: 'the tables were altered each time while their catalog entries were read',
    state: NOTHING_CHANGED,
    next: again({}, { lead: 'when no other session is altering the tables' }),
  })),
  shape: {
    /** `first`: how they differ. */
    staging: refusal(({ table, first }: { table: string; first: string | undefined }) => ({
      says: `${table} and its staging differ in shape: ${first}`,
      table,
      state: UNTOUCHED,
      next: 'load into a new batch, as the table is now',
    })),
    retained: refusal(({ table, kept }: { table: string; kept: string }) => ({
      says: `${table} was altered since: the retained table does not fit any more`,
      table,
      state: NOTHING_CHANGED,
      next: `take back the change of its columns, or copy the rows by hand from ${kept}`,
    })),
  },
  constraint: refusal(({ table, why }: { table: string; why: string }) => ({
    says: `the rows staged for ${table} break a constraint: ${why}`,
    table,
    state: UNTOUCHED,
    next: 'reject or repair these rows in the pipeline',
  })),
  orphans: {
    counted: refusal(({ key, table, count }: Key & { count: number }) => ({
      says: `foreign key ${key} of ${table} would not hold: ${plural(count, 'row')} ${noun(count, 'has', 'have')} no parent row`,
      table,
      sqlstate: '23503',
      state: KEYLESS,
      next: 'load the missing parents, or reject the orphans in the pipeline',
    })),
    some: refusal(({ key, table }: Key) => ({
      says: `foreign key ${key} of ${table} would not hold: some rows have no parent row`,
      table,
      sqlstate: '23503',
      state: KEYLESS,
      next: 'load the missing parents, or reject the orphans in the pipeline',
    })),
  },
  key_index: refusal(
    ({ key, table, was, would }: Key & { was: string; would: string | null | undefined }) => ({
      says: `foreign key ${key} of ${table} goes by the index ${was} of its parent; a new one would go by ${would}`,
      table,
      state: UNTOUCHED,
      next: 'drop the index that is not needed (both are unique over the same columns), or publish the differences (mode sync), which leaves the table the one that it is',
    }),
  ),
  array_type: refusal(
    ({ table, type, staging }: { table: string; type: string | null; staging: string | null }) => ({
      says: `the array type of ${table} has a name that no new table gets`,
      table,
      details: [`it is ${type}, of staging ${staging}`],
      state: UNTOUCHED,
      next: 'rename the table and back again, which names its array type anew; or publish the differences (mode sync), which leaves the table the one that it is',
    }),
  ),
  old_snapshot: refusal(({ table, staging }: { table: string; staging: string }) => ({
    says: `a transaction older than the load would see ${staging} empty`,
    table,
    state: STAGING_KEPT,
    next: again({}, { lead: 'end that transaction, then' }),
  })),
  retained: {
    gone: refusal(({ table }: { table: string }) => ({
      says: `the table that ${table} replaced is not there any more`,
      table,
      state: NOTHING_CHANGED,
      next: 'restore it from a backup',
    })),
    another: refusal(({ table }: { table: string }) => ({
      says: `${table} is not the table that was retained`,
      table,
      state: STILL_THERE,
      next: 'somebody has put another table in its place: look at it, and drop it by hand if it can go',
    })),
    needed: refusal(({ table }: { table: string }) => ({
      says: `${table} cannot be dropped: something depends on it`,
      table,
      state: STILL_THERE,
      next: again({}, { lead: 'drop what depends on it, then' }),
    })),
    behindViews: refusal(({ batch }: { batch: string }) => ({
      says: `the old tables of batch ${batch} cannot be dropped: something depends on them`,
      state: OLD_STILL_THERE,
      next: again({}, { lead: 'let it use the views of the same names, then' }),
    })),
  },
  still_read: refusal(({ batch }: { batch: string }) => ({
    says: `the old tables of batch ${batch} are still read`,
    state: OLD_STILL_THERE,
    next: again(
      {},
      { lead: 'let those sessions use the old names, which are views now, or the new tables; then' },
    ),
  })),
});
