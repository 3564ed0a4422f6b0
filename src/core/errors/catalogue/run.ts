import { again, type Next } from '../../next.js';
import { failure, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_WRITTEN, UNTOUCHED } from './state.js';

const CHECKED = `${NOTHING_WRITTEN}; ${UNTOUCHED}`;

/** Errors of a run that its own questions or limits refuse, and whatever was thrown that is none of ours. */
export const runErrors = topic({
  check_refused: {
    one: refusal(({ check, why, next }: { check: string; why: string; next: Next | undefined }) => ({
      says: `${check}: ${why}`,
      state: CHECKED,
      next,
    })),
    several: refusal(({ count, next }: { count: number; next: Next | undefined }) => ({
      says: `the checks refused: ${count} reasons`,
      state: CHECKED,
      next,
    })),
  },
  validation_refused: {
    one: refusal(({ check, why, next }: { check: string; why: string; next: Next | undefined }) => ({
      says: `${check}: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next,
    })),
    several: refusal(({ count, next }: { count: number; next: Next | undefined }) => ({
      says: `staging is not valid: ${count} reasons`,
      state: AS_THE_COMMAND_ENDS,
      next,
    })),
  },
  would_empty: refusal(({ tables }: { tables: readonly string[] }) => ({
    says: `no row was loaded, and ${tables.join(', ')} would be emptied`,
    state: AS_THE_COMMAND_ENDS,
    next: [
      'check that the input is the one you mean',
      again({ flags: { allowEmpty: true } }, { lead: 'if it is' }),
    ],
  })),
  /** `share`: the percentage of rows that would go. */
  would_shrink: refusal(({ first, share }: { first: string; share: number }) => ({
    says: `too many rows would go: ${first}`,
    state: AS_THE_COMMAND_ENDS,
    next: [
      'check that the input is the one you mean, and whole',
      again({ flags: { maxShrink: `${share}%` } }, { lead: 'if it is' }),
    ],
  })),
  server_limit: {
    locks: failure(({ why }: { why: string }) => ({
      says: `the server has no room for more locks: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: [
        'raise max_locks_per_transaction (64 by default; twice the tables of the run is enough): ALTER SYSTEM SET max_locks_per_transaction = 512, then restart the server',
        again({}, { lead: 'or fewer tables in one run' }),
      ],
    })),
    other: failure(({ why }: { why: string }) => ({
      says: `the server came to a limit of its own: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'raise that limit (see its name above), then' }),
    })),
  },
  cancelled: failure(({ why }: { why: string }) => ({
    says: `the server cancelled a statement: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: again(
      {},
      { lead: 'somebody, or a timeout of the role or database, stopped it: see to that, then' },
    ),
  })),
  no_rights: failure(({ why }: { why: string }) => ({
    says: `the role may not do that: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: again({}, { lead: 'as an owner grant it, or use a role that may; then' }),
  })),
  database_error: {
    /** Where a function looks for what it uses along a search_path that is not its own. */
    blind: failure(({ why }: { why: string }) => ({
      says: `the database refused: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: [
        'an index or CHECK calls the function that is named, which looks for what it uses along the search_path: have it name that with its schema',
        'or, as its owner: ALTER FUNCTION … SET search_path = …   (as dumping and restoring the database needs it, too)',
      ],
    })),
    other: failure(({ why, hint }: { why: string; hint: string | undefined }) => ({
      says: `the database refused: ${why}`,
      state: AS_THE_COMMAND_ENDS,
      next: hint,
    })),
  },
  listener_failed: failure(({ event, why }: { event: string; why: string }) => ({
    says: `a listener of the event ${event} failed: ${why}`,
    state: AS_THE_COMMAND_ENDS,
    next: 'mend the listener: what it throws stops the run',
  })),
  unexpected: failure(({ why }: { why: string }) => ({
    says: why,
    state: AS_THE_COMMAND_ENDS,
    next: 'this is a fault of the pipeline’s code or of Sluice: fix the code that is named, or report it with the stack trace',
  })),
});
