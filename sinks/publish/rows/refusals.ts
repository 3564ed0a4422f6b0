import { connectionErrors } from '../../../src/core/errors/catalogue/connection.js';
import type { Known } from '../../../src/core/errors/catalogue/entry.js';
import { loadErrors } from '../../../src/core/errors/catalogue/load.js';
import { publishErrors } from '../../../src/core/errors/catalogue/publish.js';
import { rowErrors } from '../../../src/core/errors/catalogue/rows.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { withRest } from '../../../src/core/plural.js';
import { literal, qualified } from '../../../src/db/quote.js';
import { type ServerError, sqlstateOf } from '../../../src/db/server-error.js';

/** SQLSTATEs that statements of the window raise; class `SL` is used neither by the standard nor by PostgreSQL. */
export const SQLSTATE = {
  guardTripped: 'SLG01',
  guardMissing: 'SLG02',
  keyAmbiguous: 'SLK01',
  keyMissing: 'SLK02',
  keyUnfit: 'SLK03',
  childrenWouldGo: 'SLC01',
  unbalanced: 'SLR01',
  suppressed: 'SLR02',
  deletesSuppressed: 'SLR03',
  takenAway: 'SLR04',
  rowsHidden: 'SLR05',
  changedSince: 'SLU01',
  undoNotExact: 'SLU02',
  alreadyUndone: 'SLU03',
} as const;

/** How many offenders a message lists. */
export const LISTED = 20;

/** What the DETAIL of such an error holds, as JSON. */
export interface Offence {
  readonly table: string;
  readonly count: number;
  /** At most LISTED lines. */
  readonly list: readonly string[];
  /** Triggers that may be to blame. */
  readonly triggers?: readonly string[];
}

/**
 * A statement that raises `sqlstate` where `query` yields a json value (an Offence) instead of NULL or no
 * row. A DO block, so that it can stand in the window's one message. With row_security off for the question alone: a
 * policy that would hide rows from it fails it, while triggers have the role's setting.
 */
export function raiseWhen(sqlstate: string, message: string, query: string): string {
  // The variables' names are such as no column has: plpgsql refuses names that could mean either.
  const body = `DECLARE sluice_offence json; sluice_security text := pg_catalog.current_setting('row_security'); BEGIN PERFORM pg_catalog.set_config('row_security', 'off', true); sluice_offence := (${query}); PERFORM pg_catalog.set_config('row_security', sluice_security, true); IF sluice_offence IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = ${literal(sqlstate)}, MESSAGE = ${literal(message)}, DETAIL = sluice_offence::text; END IF; END`;
  return `DO ${literal(body)}`;
}

/**
 * A query for raiseWhen: NULL where `offenders` yields no row, else an Offence. `offenders` is a SELECT with
 * one column `line` (text); it is run once, and only the first LISTED lines are kept.
 */
export function offence(table: string, offenders: string): string {
  return `SELECT CASE WHEN count(*) > 0 THEN json_build_object('table', ${literal(table)}, 'count', count(*), 'list', json_agg(o.line) FILTER (WHERE o.n <= ${LISTED})) END FROM (SELECT f.line, row_number() OVER () AS n FROM (${offenders}) f) o`;
}

/** A statement that raises where a policy would hide rows of the table from the current role, were it read. */
export function hiddenCheck({ schema, table }: { readonly schema: string; readonly table: string }): string {
  const hidden = `SELECT 'it did not when the table was looked at' AS line WHERE pg_catalog.row_security_active(${literal(qualified(schema, table))}::pg_catalog.regclass)`;
  return raiseWhen(
    SQLSTATE.rowsHidden,
    'row-level security hides rows',
    offence(`${schema}.${table}`, hidden),
  );
}
/** The offence with the triggers that may have done it. */
const suppressed = ({ table, count, triggers = [] }: Offence) => ({
  table,
  count,
  triggers: triggers.length === 0 ? '' : ` (${triggers.join('; ')})`,
});

/** What each of them says. */
const REFUSALS: Readonly<Record<string, (offence: Offence, known: Known) => SluiceError>> = {
  [SQLSTATE.guardTripped]: rowErrors.live_written_during_load,
  [SQLSTATE.guardMissing]: rowErrors.guard_missing,
  [SQLSTATE.keyAmbiguous]: rowErrors.key_not_unique.rows,
  [SQLSTATE.keyMissing]: rowErrors.key_not_in_live,
  [SQLSTATE.keyUnfit]: rowErrors.key_not_unique.keys,
  [SQLSTATE.childrenWouldGo]: rowErrors.children_refer_to_rows,
  [SQLSTATE.unbalanced]: loadErrors.unaccounted_rows.staging,
  [SQLSTATE.suppressed]: (o, known) => rowErrors.rows_suppressed.leftOut(suppressed(o), known),
  [SQLSTATE.deletesSuppressed]: (o, known) => rowErrors.rows_suppressed.notDeleted(suppressed(o), known),
  [SQLSTATE.takenAway]: (o, known) => rowErrors.rows_suppressed.takenAway(suppressed(o), known),
  [SQLSTATE.rowsHidden]: connectionErrors.row_security.ofTable,
  [SQLSTATE.changedSince]: rowErrors.changed_since_publish,
  [SQLSTATE.undoNotExact]: rowErrors.undo_not_exact,
  [SQLSTATE.alreadyUndone]: rowErrors.already_undone,
};

/**
 * The refusal that a statement of the window raised, as a SluiceError that lists the offenders; undefined
 * for any other error, which is the caller's to explain.
 */
export function rowRefusal(error: unknown): SluiceError | undefined {
  const sqlstate = sqlstateOf(error);
  const refusal = sqlstate === undefined ? undefined : REFUSALS[sqlstate];
  if (sqlstate === undefined || refusal === undefined) return undefined;
  let found: Offence;
  try {
    found = JSON.parse((error as ServerError).detail ?? '') as Offence;
  } catch {
    return publishErrors.window_refused({ sqlstate }, { cause: error });
  }
  // A line may stand for several: rows by the key that refers to them, statements by who ran them.
  const total = found.list.length < LISTED ? found.list.length : found.count;
  return refusal(found, { sqlstate, details: withRest(found.list, total), cause: error });
}
