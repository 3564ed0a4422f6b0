import { failed, refused } from '../../src/core/errors/author.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { again, command } from '../../src/core/next.js';
import { plural } from '../../src/core/plural.js';
import { isShutOut } from '../../src/db/connection-error.js';
import { sqlstateOf } from '../../src/db/server-error.js';
import { type Blocker, describeBlocker } from './blockers.js';
import { contextOf } from './context.js';

import { mergedLocks, NOT_ALIKE, type WindowPart } from './window.js';

const UNTOUCHED = 'nothing was published; live tables are untouched and staging is kept';

/** refused `publish_slow`: `what` was not done within `ms` though nobody was in the way. */
export function tooSlow(what: string, ms: number, parts: readonly WindowPart[], cause: unknown): SluiceError {
  const tables = plural(mergedLocks(parts).length, 'table');
  return refused(
    'publish_slow',
    `the publish of ${tables} took too long: ${what} was not done after ${ms} ms`,
    {
      sqlstate: sqlstateOf(cause),
      cause,
      details: ['Nobody was in the way: the server itself was slow, or the tables are many.'],
      state: UNTOUCHED,
      next: again({}, { lead: 'when the server has less to do, or with fewer tables at once' }),
    },
  );
}

/** failed `outcome_unknown`: the connection was lost, and the ledger cannot say what became of the publish (`error`). */
export function unknownOutcome(error: unknown, cause: unknown): SluiceError {
  return failed(
    'outcome_unknown',
    'the connection was lost during the publish, and its outcome is not known',
    {
      cause: error ?? cause,
      ...(error instanceof SluiceError ? { details: [`The ledger cannot be asked: ${error.message}`] } : {}),
      state: 'all of it is published, or none: the ledger knows',
      next: [
        ...(isShutOut(error) ? [error.facts.next ?? []].flat() : []),
        command('status', [], {}, { note: 'says which' }),
      ],
    },
  );
}

/** refused `guard_lost`: the session that held the lock guard is gone. */
export function guardLost(cause: unknown): SluiceError {
  return refused('guard_lost', 'the session that kept writers out was lost before the publish was done', {
    cause,
    state: UNTOUCHED,
    next: [
      again({}, { lead: 'rows may have been written since, so read the source again' }),
      again({ flags: { guard: 'journal' } }, { lead: 'or with a guard that outlives a session' }),
    ],
  });
}

/** refused `prepared_transaction`; `details` name those that are known. */
export function prepared(details: readonly string[]): SluiceError {
  return refused('prepared_transaction', 'a prepared transaction holds a lock on a table to be published', {
    details,
    state: UNTOUCHED,
    next: again({}, { lead: 'COMMIT PREPARED or ROLLBACK PREPARED it, then' }),
  });
}

/** refused `locked`: after so many attempts the tables could not be locked; names who was in the way. */
export function locked(
  attempts: number,
  reason: string,
  { error, blockers }: { readonly error: unknown; readonly blockers: readonly Blocker[] },
): SluiceError {
  return refused('locked', `the tables could not be locked in ${plural(attempts, 'attempt')}: ${reason}`, {
    sqlstate: sqlstateOf(error),
    details: blockers.map(describeBlocker),
    cause: error,
    state: UNTOUCHED,
    next: again(
      {},
      { lead: 'wait for these sessions, or end them with SELECT pg_terminate_backend(pid); then' },
    ),
  });
}

/** What a statement of the window was refused with: `catalog_changed`, `not_alike`, else failed `publish`. */
export function refusal(error: unknown): SluiceError {
  const code = sqlstateOf(error) as string;
  const { message, detail } = error as { message: string; detail?: string };
  const facts = {
    sqlstate: code,
    details: [...(detail === undefined ? [] : [detail]), ...contextOf(error)],
    cause: error,
    state: UNTOUCHED,
  };
  if (code === 'SL001') {
    return refused('catalog_changed', `the publish was stopped: ${message}`, {
      ...facts,
      next: again({}, { note: 'the tables are surveyed anew' }),
    });
  }
  if (code === NOT_ALIKE) {
    const { table, lines } = JSON.parse(detail ?? '') as { table: string; lines: string[] };
    return refused('not_alike', `the publish was stopped: ${message}`, { ...facts, table, details: lines });
  }
  return failed('publish', `the publish failed: ${message}`, {
    ...facts,
    next: again({}, { lead: 'fix the cause, then' }),
  });
}
