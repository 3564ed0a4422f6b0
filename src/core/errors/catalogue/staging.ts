import { again, type Suggestion } from '../../next.js';
import { noun, plural } from '../../plural.js';
import { failure, refusal, topic } from './entry.js';
import { UNTOUCHED } from './state.js';

/** Errors of staging that is not what the batch has made or loaded. */
export const stagingErrors = topic({
  staging_exists: failure(({ staging, table }: { staging: string; table: string }) => ({
    says: `staging ${staging} is already there`,
    table,
    state: UNTOUCHED,
    next: 'clean up the batch that made it, or start a new batch',
  })),
  staging_differs: {
    shape: failure(({ table }: { table: string }) => ({
      says: `staging of ${table} does not match live`,
      table,
      state: UNTOUCHED,
      next: 'please report this; nothing can be published that would lose these',
    })),
    rows: refusal(
      ({
        staging,
        rows,
        committed,
        afresh,
      }: {
        staging: string;
        rows: number;
        committed: number;
        afresh: Suggestion;
      }) => ({
        says: `staging ${staging} holds ${plural(rows, 'row')}, and ${committed} ${noun(committed, 'was', 'were')} committed to it`,
        state: UNTOUCHED,
        next: [
          'did another session write to staging? Find out which before anything else',
          afresh.saying({ lead: 'then start afresh' }),
        ],
      }),
    ),
  },
  row_count: failure(({ table, rows, loaded }: { table: string; rows: number; loaded: number }) => ({
    says: `staging holds ${plural(rows, 'row')}, but ${loaded} ${noun(loaded, 'was', 'were')} loaded into it`,
    table,
    state: UNTOUCHED,
    next: again(
      {},
      { lead: 'did the server restart, or did another session write to staging? See to that, then' },
    ),
  })),
  rows_not_found: failure(
    ({ table, breaking, found }: { table: string; breaking: number; found: number }) => ({
      says: `of ${plural(breaking, 'row')} breaking a constraint of ${table}, ${found} ${noun(found, 'was', 'were')} found in staging`,
      table,
      state: UNTOUCHED,
      next: 'run it again; did the input change while it was read?',
    }),
  ),
});
