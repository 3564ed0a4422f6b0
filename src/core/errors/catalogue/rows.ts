import { again, command, MERGE_INSTEAD, type Next } from '../../next.js';
import { plural } from '../../plural.js';
import { refusal, topic } from './entry.js';
import { NOTHING_CHANGED, NOTHING_PUBLISHED, NOTHING_UNDONE, STAGING_KEPT } from './state.js';

/** Rows of a table. */
interface Rows {
  readonly table: string;
  readonly count: number;
}

/** The same, with triggers that may be to blame: ` (trigger t)`, or nothing. */
interface Suppressed extends Rows {
  readonly triggers: string;
}

/** What keys are that rows cannot be deleted by. */
export const UNFIT = 'NULL, or stand for more than one row: rows cannot be deleted by them';

const CHOOSE_KEY = 'choose a key that is unique in live (--key)';

/** What to do about triggers that keep rows out. */
const SUPPRESSED: Next = [
  again({}, { lead: 'leave those rows out of the input, or fix the trigger, then' }),
  again({ flags: { allowSuppressed: true } }, { lead: 'or publish without them' }),
  again({ flags: { triggers: false } }, { lead: "or past the table's triggers" }),
];

const KEEP_WRITERS_OUT = again({ flags: { guard: 'lock' } }, { lead: 'or keep writers out meanwhile' });

/** Errors of changing the rows of live tables, of undoing it, and of others who write meanwhile. */
export const rowErrors = topic({
  table_not_publishable: refusal(({ table, mode }: { table: string; mode: string }) => ({
    says: `${mode} into ${table} is not possible`,
    table,
    state: NOTHING_CHANGED,
    next: again({}, { lead: 'fix what is listed, then' }),
  })),
  rows_not_publishable: refusal(
    ({
      table,
      mode,
      taken,
    }: {
      table: string;
      mode: string;
      /** Whether live has some of their values already, which a merge would update. */
      taken: boolean;
    }) => ({
      says: `the rows loaded for ${table} cannot be published by ${mode}`,
      table,
      state: STAGING_KEPT,
      next: [
        again({}, { lead: 'fix the input, or a stage before the table, then' }),
        ...(taken ? [MERGE_INSTEAD] : []),
      ],
    }),
  ),
  key_not_unique: {
    rows: refusal(({ table, count }: Rows) => ({
      says: `${plural(count, 'row')} of staging match more than one row of ${table} by key`,
      table,
      state: NOTHING_PUBLISHED,
      next: CHOOSE_KEY,
    })),
    keys: refusal(({ table, count }: Rows) => ({
      says: `${plural(count, 'key')} of ${table} ${count === 1 ? 'is' : 'are'} ${UNFIT}`,
      table,
      state: NOTHING_PUBLISHED,
      next: CHOOSE_KEY,
    })),
  },
  key_not_in_live: refusal(({ table, count }: Rows) => ({
    says: `${plural(count, 'row')} of staging have a key that ${table} does not have`,
    table,
    state: NOTHING_PUBLISHED,
    next: "run it again, which makes rejects of them; or use merge to add them; a pipeline may say missing: 'skip'",
  })),
  children_refer_to_rows: refusal(({ table, count }: Rows) => ({
    says: `rows to be deleted from ${table} are referred to by other rows, ${plural(count, 'row')} in all`,
    table,
    state: NOTHING_CHANGED,
    next: 'remove or re-point those rows first; they are never deleted along by a cascade',
  })),
  rows_suppressed: {
    leftOut: refusal(({ table, count, triggers }: Suppressed) => ({
      says: `${plural(count, 'row')} of ${table} would be left out: suppressed, neither inserted nor updated${triggers}`,
      table,
      state: NOTHING_PUBLISHED,
      next: SUPPRESSED,
    })),
    notDeleted: refusal(({ table, count, triggers }: Suppressed) => ({
      says: `${plural(count, 'row')} to be deleted from ${table} would stay: suppressed${triggers}`,
      table,
      state: NOTHING_PUBLISHED,
      next: SUPPRESSED,
    })),
    takenAway: refusal(({ table, count, triggers }: Suppressed) => ({
      says: `${plural(count, 'row')} of ${table} would be written and taken away again${triggers}`,
      table,
      state: NOTHING_PUBLISHED,
      next: SUPPRESSED,
    })),
  },
  live_written_during_load: refusal(({ table, count }: Rows) => ({
    says: `${plural(count, 'statement')} wrote to ${table} since the source was read`,
    table,
    state: 'nothing was published; live is as those statements left it',
    next: [again({}, { note: 'it reads what was written' }), KEEP_WRITERS_OUT],
  })),
  guard_missing: refusal(({ table }: { table: string }) => ({
    says: `the write guard of ${table} is not armed any more, so writes since may be unknown`,
    table,
    state: NOTHING_PUBLISHED,
    next: [again(), KEEP_WRITERS_OUT],
  })),
  guard_not_possible: refusal(() => ({
    says: 'the journal guard needs tables that this role owns',
    state: NOTHING_CHANGED,
    next: [
      'run as their owner',
      again({ flags: { guard: 'lock' } }, { lead: 'or', note: 'needs UPDATE, DELETE or TRUNCATE' }),
      again({ flags: { guard: 'off' } }, { lead: 'or, where nobody writes meanwhile' }),
    ],
  })),
  changed_since_publish: refusal(({ table, count }: Rows) => ({
    says: `${plural(count, 'row')} of ${table} were changed since they were published`,
    table,
    state: NOTHING_UNDONE,
    next: [
      'keep them by leaving the batch as it is',
      again({ flags: { discardWrites: true } }, { lead: 'or lose those changes' }),
    ],
  })),
  undo_not_exact: refusal(({ table, count }: Rows) => ({
    says: `${plural(count, 'row')} of ${table} would not be as before: a trigger or policy interferes`,
    table,
    state: NOTHING_UNDONE,
    next: 'undo as the owner of the table, so that its triggers can be switched off for the repair',
  })),
  already_undone: refusal(({ table }: { table: string }) => ({
    says: `the publish of ${table} was undone before`,
    table,
    state: NOTHING_CHANGED,
    next: command('status', [], {}, { note: 'the batches' }),
  })),
  not_undoable: refusal(() => ({
    says: 'the publish cannot be undone',
    state: 'nothing was changed; what undo needs is kept',
    next: again({}, { lead: 'fix what is listed, then' }),
  })),
});
