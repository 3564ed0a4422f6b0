import { publishErrors } from '../../src/core/errors/catalogue/publish.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { isShutOut } from '../../src/db/connection-error.js';
import { type Blocker, blockerLine } from '../../src/db/locks/blockers.js';
import { type ServerError, sqlstateOf } from '../../src/db/server-error.js';
import { contextOf } from './context.js';

import { mergedLocks, NOT_ALIKE, type WindowPart } from './window.js';

/** refused `publish_slow`: `what` was not done within `ms` though nobody was in the way. */
export function tooSlow(what: string, ms: number, parts: readonly WindowPart[], cause: unknown): SluiceError {
  return publishErrors.publish_slow(
    { tables: mergedLocks(parts).length, what, ms },
    { sqlstate: sqlstateOf(cause), cause },
  );
}

/** failed `outcome_unknown`: the connection was lost, and the ledger cannot say what became of the publish (`error`). */
export function unknownOutcome(error: unknown, cause: unknown): SluiceError {
  return publishErrors.outcome_unknown(
    { first: isShutOut(error) ? [error.facts.next ?? []].flat() : [] },
    {
      cause: error ?? cause,
      details: error instanceof SluiceError ? [`The ledger cannot be asked: ${error.message}`] : undefined,
    },
  );
}

/** refused `guard_lost`: the session that held the lock guard is gone. */
export function guardLost(cause: unknown): SluiceError {
  return publishErrors.guard_lost({ cause });
}

/** refused `prepared_transaction`, naming them. */
export function prepared(blockers: readonly Blocker[]): SluiceError {
  return publishErrors.prepared_transaction({ details: blockers.map(blockerLine) });
}

/** refused `locked`: after so many attempts the tables could not be locked; names who was in the way. */
export function locked(
  attempts: number,
  reason: string,
  { error, blockers }: { readonly error: unknown; readonly blockers: readonly Blocker[] },
): SluiceError {
  return publishErrors.locked(
    { attempts, why: reason },
    { sqlstate: sqlstateOf(error), details: blockers.map(blockerLine), cause: error },
  );
}

/** What a statement of the window was refused with: `catalog_changed`, `not_alike`, else failed `publish`. */
export function refusal(error: unknown): SluiceError {
  const sqlstate = sqlstateOf(error) as string;
  const { message, detail } = error as ServerError;
  const known = {
    sqlstate,
    details: [...(detail === undefined ? [] : [detail]), ...contextOf(error)],
    cause: error,
  };
  if (sqlstate === 'SL001') {
    return publishErrors.catalog_changed.stopped({ why: message }, known);
  }
  if (sqlstate === NOT_ALIKE) {
    const { table, lines } = JSON.parse(detail ?? '') as { table: string; lines: string[] };
    return publishErrors.not_alike({ table, why: message }, { ...known, details: lines });
  }
  return publishErrors.publish({ why: message }, known);
}
