import { failed, refused } from '../../../src/core/errors/author.js';
import { SEES_ALL } from '../../../src/core/errors/catalogue/connection.js';
import type { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { again, command, type Next } from '../../../src/core/next.js';
import { plural, withRest } from '../../../src/core/plural.js';
import { literal, qualified } from '../../../src/db/quote.js';

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
/** What keys are that rows cannot be deleted by. */
export const UNFIT = 'NULL, or stand for more than one row: rows cannot be deleted by them';

const CHOOSE_KEY = 'choose a key that is unique in live (--key)';

/** What to do about triggers that keep rows out. */
const SUPPRESSED: Next = [
  again({}, { lead: 'leave those rows out of the input, or fix the trigger, then' }),
  again({ flags: { allowSuppressed: true } }, { lead: 'or publish without them' }),
  again({ flags: { triggers: false } }, { lead: "or past the table's triggers" }),
];

/** The triggers that may have done it. */
function blamed({ triggers = [] }: Offence): string {
  return triggers.length === 0 ? '' : ` (${triggers.join('; ')})`;
}

const SAYINGS: Readonly<
  Record<string, { code: string; say: (offence: Offence) => string; next: Next; state: string }>
> = {
  [SQLSTATE.guardTripped]: {
    code: 'live_written_during_load',
    say: (o) => `${statements(o.count)} wrote to ${o.table} since the source was read`,
    state: 'nothing was published; live is as those statements left it',
    next: [
      again({}, { note: 'it reads what was written' }),
      again({ flags: { guard: 'lock' } }, { lead: 'or keep writers out meanwhile' }),
    ],
  },
  [SQLSTATE.guardMissing]: {
    code: 'guard_missing',
    say: (o) => `the write guard of ${o.table} is not armed any more, so writes since may be unknown`,
    state: 'nothing was published',
    next: [again(), again({ flags: { guard: 'lock' } }, { lead: 'or keep writers out meanwhile' })],
  },
  [SQLSTATE.keyAmbiguous]: {
    code: 'key_not_unique',
    say: (o) => `${rows(o.count)} of staging match more than one row of ${o.table} by key`,
    state: 'nothing was published',
    next: CHOOSE_KEY,
  },
  [SQLSTATE.keyMissing]: {
    code: 'key_not_in_live',
    say: (o) => `${rows(o.count)} of staging have a key that ${o.table} does not have`,
    state: 'nothing was published',
    next: "run it again, which makes rejects of them; or use merge to add them; a pipeline may say missing: 'skip'",
  },
  [SQLSTATE.keyUnfit]: {
    code: 'key_not_unique',
    say: (o) => `${plural(o.count, 'key')} of ${o.table} ${o.count === 1 ? 'is' : 'are'} ${UNFIT}`,
    state: 'nothing was published',
    next: CHOOSE_KEY,
  },
  [SQLSTATE.childrenWouldGo]: {
    code: 'children_refer_to_rows',
    say: (o) => `rows to be deleted from ${o.table} are referred to by other rows, ${rows(o.count)} in all`,
    state: 'nothing was changed',
    next: 'remove or re-point those rows first; they are never deleted along by a cascade',
  },
  [SQLSTATE.unbalanced]: {
    code: 'unaccounted_rows',
    say: (o) => `rows of ${o.table} are unaccounted for: what is staged and what became of it do not add up`,
    state: 'nothing was published',
    next: 'load them again; did another session write to staging?',
  },
  [SQLSTATE.suppressed]: {
    code: 'rows_suppressed',
    say: (o) =>
      `${rows(o.count)} of ${o.table} would be left out: suppressed, neither inserted nor updated${blamed(o)}`,
    state: 'nothing was published',
    next: SUPPRESSED,
  },
  [SQLSTATE.deletesSuppressed]: {
    code: 'rows_suppressed',
    say: (o) => `${rows(o.count)} to be deleted from ${o.table} would stay: suppressed${blamed(o)}`,
    state: 'nothing was published',
    next: SUPPRESSED,
  },
  [SQLSTATE.takenAway]: {
    code: 'rows_suppressed',
    say: (o) => `${rows(o.count)} of ${o.table} would be written and taken away again${blamed(o)}`,
    state: 'nothing was published',
    next: SUPPRESSED,
  },
  [SQLSTATE.rowsHidden]: {
    code: 'row_security',
    say: (o) => `row-level security hides rows of ${o.table} from this role`,
    state: 'nothing was changed',
    next: `connect as ${SEES_ALL}`,
  },
  [SQLSTATE.changedSince]: {
    code: 'changed_since_publish',
    say: (o) => `${rows(o.count)} of ${o.table} were changed since they were published`,
    state: 'nothing was undone',
    next: [
      'keep them by leaving the batch as it is',
      again({ flags: { discardWrites: true } }, { lead: 'or lose those changes' }),
    ],
  },
  [SQLSTATE.undoNotExact]: {
    code: 'undo_not_exact',
    say: (o) => `${rows(o.count)} of ${o.table} would not be as before: a trigger or policy interferes`,
    state: 'nothing was undone',
    next: 'undo as the owner of the table, so that its triggers can be switched off for the repair',
  },
  [SQLSTATE.alreadyUndone]: {
    code: 'already_undone',
    say: (o) => `the publish of ${o.table} was undone before`,
    state: 'nothing was changed',
    next: command('status', [], {}, { note: 'the batches' }),
  },
};

/**
 * The refusal that a statement of the window raised, as a SluiceError that lists the offenders; undefined
 * for any other error, which is the caller's to explain.
 */
export function rowRefusal(error: unknown): SluiceError | undefined {
  const { code, detail } = (error ?? {}) as { code?: string; detail?: string };
  const saying = code === undefined ? undefined : SAYINGS[code];
  if (saying === undefined) return undefined;
  let found: Offence;
  try {
    found = JSON.parse(detail ?? '') as Offence;
  } catch {
    return failed('window_refused', `the publish was refused (${code}) without saying why`, { cause: error });
  }
  // A line may stand for several: rows by the key that refers to them, statements by who ran them.
  const total = found.list.length < LISTED ? found.list.length : found.count;
  return refused(saying.code, saying.say(found), {
    table: found.table,
    sqlstate: code as string,
    details: withRest(found.list, total),
    state: saying.state,
    next: saying.next,
    cause: error,
  });
}

const rows = (n: number) => plural(n, 'row');
const statements = (n: number) => plural(n, 'statement');
