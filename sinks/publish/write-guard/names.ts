import { ledgerErrors } from '../../../src/core/errors/catalogue/ledger.js';
import { literal, qualified } from '../../../src/db/quote.js';

/** A live table that the guard watches. */
export interface GuardedTable {
  readonly schema: string;
  readonly table: string;
}

/** A guard: the batch it belongs to and the batch's schema, where its journal and functions are. */
export interface Guard {
  readonly batch: string;
  readonly schema: string;
}

/** All guard triggers start with this; catalog surveys must neither carry them over nor refuse them. */
export const GUARD_PREFIX = 'sluice_guard_';

/** The trigger events that are watched, each with the transition table that holds the rows it touched. */
export const GUARD_EVENTS = [
  { suffix: 'ins', event: 'INSERT', rows: 'NEW' },
  { suffix: 'upd', event: 'UPDATE', rows: 'NEW' },
  { suffix: 'del', event: 'DELETE', rows: 'OLD' },
  { suffix: 'trn', event: 'TRUNCATE', rows: null },
] as const;

/** The statement triggers of a table that is written to by its own name or not at all. */
const BY_STATEMENT = GUARD_EVENTS.map(({ suffix }) => suffix);

/** The row trigger of a table whose rows are reached by the names of other tables as well. */
export const GUARD_ROW = 'row';

/** The triggers that watch a member of a guarded table; see memberStatement. */
export interface GuardTriggers {
  readonly byStatement: readonly string[];
  readonly byRow: readonly string[];
  /** Where a partitioned table holds no rows of its own. */
  readonly truncation: readonly string[];
}

/** The names of the triggers of `batch`. Throws what triggerName throws. */
export function guardTriggers(batch: string): GuardTriggers {
  const named = (suffixes: readonly string[]) => suffixes.map((suffix) => triggerName(batch, suffix));
  return { byStatement: named(BY_STATEMENT), byRow: named([GUARD_ROW, 'trn']), truncation: named(['trn']) };
}

/** The name of a trigger of `batch`. Throws usage() where the batch's id is too long to fit. */
export function triggerName(batch: string, suffix: string): string {
  const name = `${GUARD_PREFIX}${batch}_${suffix}`;
  if (Buffer.byteLength(name) <= 63) return name;
  throw ledgerErrors.batch_id_too_long({ batch });
}

/** The notes of writes, quoted. */
export const journalTable = (guard: Guard) => qualified(guard.schema, 'guard_journal');
/** What was watched from the beginning: each guarded table's members, and the triggers on them. */
export const memberTable = (guard: Guard) => qualified(guard.schema, 'guard_member');
/** The catalog rows that arming has made, each with the transaction that wrote it last. */
export const stateTable = (guard: Guard) => qualified(guard.schema, 'guard_state');
/** The tables of a guard; what they hold is only ever added to. */
export const guardTables = (guard: Guard) => [journalTable(guard), memberTable(guard), stateTable(guard)];
/** How many those are. */
export const GUARD_TABLES = 3;
/** The functions of a guard: what its triggers call, by what they fire for, and what keeps its own tables. */
export const FUNCTIONS = ['rows', 'row', 'truncate', 'keep'] as const;
/** The name of one of them, quoted. */
export const journalFunction = (guard: Guard, kind: (typeof FUNCTIONS)[number]) =>
  qualified(guard.schema, `guard_${kind}`);
/** The trigger that keeps the guard's own tables as they are: by its name one of ours. */
export const KEEP_TRIGGER = 'sluice_guard_keep';
/** A table's quoted name as a literal, for `::regclass`. */
export const nameLiteral = ({ schema, table }: GuardedTable) => literal(qualified(schema, table));
