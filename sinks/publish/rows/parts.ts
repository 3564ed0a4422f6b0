import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowTable } from '../../../src/db/catalog/row-tables.js';
import { qualified } from '../../../src/db/quote.js';
import { alongUsersPath } from '../../../src/db/users-path.js';
import { SETTLE_ALL } from '../deferred.js';
import { type TableLock, type WindowPart, windowPart } from '../window.js';
import { appendStatements } from './append.js';
import { type Hashing, hashWritten } from './before-images.js';
import { closeCounts, countGone, openCounts } from './counts.js';
import { deleteStatements, mergeStatements, saveStatements } from './merge.js';
import { parentsFirst } from './order.js';
import { patchStatements } from './patch.js';
import { hiddenCheck, offence, raiseWhen, SQLSTATE } from './refusals.js';
import { sequenceStatements } from './sequences.js';
import { firing, keyJson, sameKey, unkeyedRows } from './sql.js';
import { deletesGone, type RowNames, type RowTableFacts, rowObjects } from './target.js';
import { withoutTriggers } from './triggers.js';

/** One table to be published by append, merge, sync or patch. */
export interface RowPublish {
  readonly facts: RowTableFacts;
  readonly names: RowNames;
  /** Whether it must see tables that the same window swaps in (a child of a replaced parent). */
  readonly late?: boolean;
  /** Rows that staging was handed; left out where that is not known yet. */
  readonly handed?: number;
  /** Statements that raise where the write guard was tripped; run once the table is locked. */
  readonly guard?: readonly string[];
}

/**
 * The window's parts for `publishes`: locks, checks and before-images of every table, then all inserts and updates, parents before children, then the deletes of
 * tables that others refer to, children before parents; see deletesFirst.
 *
 * The locks are SHARE ROW EXCLUSIVE (all but append): nobody writes between comparing and changing, readers
 * go on. They are taken inside `early`, whose statements take as long as the rows do: the window must
 * set statement_timeout only after them. They are run along our search_path, and what fires triggers along the user's.
 */
export function rowParts(publishes: readonly RowPublish[]): WindowPart[] {
  const ordered = parentsFirst(
    publishes.map((one) => ({ ...one, live: one.facts.live, mode: one.facts.target.mode })),
  );
  const first = (publish: RowPublish) => deletesFirst(publish, ordered);
  const deletesLast = ordered
    .filter((publish) => deletesGone(publish.facts.target) && !first(publish))
    .reverse();
  const quiet = ({ facts }: RowPublish) => facts.target.noTriggers === true || firing(facts).length === 0;
  const hashing: Hashing = ordered.every(quiet) ? 'at once' : 'at the end';
  return [
    ...ordered.map(opening),
    ...ordered.map((publish) => part(publish, writes(publish, hashing, first(publish)))),
    ...deletesLast.map((publish) =>
      part(publish, guarded(publish.facts, deleteStatements(publish.facts, publish.names))),
    ),
    ...(hashing === 'at once' ? [] : hashParts(ordered)),
  ];
}

/** The hashes of all tables, once the last of them has been written, and nothing that triggers do is put off any more. */
function hashParts(publishes: readonly RowPublish[]): WindowPart[] {
  const late = publishes.some((publish) => publish.late === true);
  const hashes = publishes.flatMap((publish) => {
    const hash = hashWritten(publish.facts, publish.names);
    if (hash === undefined) return [];
    return [part({ ...publish, late }, [hash, countGone(publish.facts, publish.names)])];
  });
  return [
    ...publishes.slice(0, 1).map((publish) => part({ ...publish, late }, alongUsersPath([SETTLE_ALL]))),
    ...hashes,
  ];
}

/** The statements of one table's publish in the pieces in which its rows can be tried; see tryRows. */
export interface RowTrial {
  readonly table: RowTable;
  /** Once, before any of its rows: the lock, and the deletes that come first. */
  readonly open: readonly string[];
  /** For as many rows as the staging table of `names` shows. */
  readonly rows: readonly string[];
}

/**
 * What the window does with the rows of `publishes`, in its order, for trying it out: without what only undo and the
 * numbers need, and without the deletes that come last. `over`: the schema in which each staging table shows the rows
 * that are tried. Whatever it does must be rolled back.
 */
export function rowTrials(publishes: readonly RowPublish[], over: string): RowTrial[] {
  const ordered = parentsFirst(
    publishes.map((one) => ({ ...one, live: one.facts.live, mode: one.facts.target.mode })),
  );
  return ordered.map(({ facts, names }) => {
    const { mode } = facts.target;
    const shown = { ...names, staging: over };
    const deletes = deletesFirst({ facts }, ordered);
    const all = !findsByKey(mode) ? [] : saveStatements(facts, names).slice(-1);
    const rows = rowChanges(facts, shown, 'at once');
    return {
      table: facts.live,
      open: [
        ...(!findsByKey(mode) ? [] : [lockStatement(facts)]),
        ...(deletes ? [...all, ...guarded(facts, deleteStatements(facts, names))] : []),
      ],
      rows: guarded(facts, [
        ...saveStatements({ ...facts, target: { ...facts.target, keepGone: true } }, shown),
        ...rows,
      ]),
    };
  });
}

function lockStatement({ target: { schema, table } }: RowTableFacts): string {
  return `LOCK TABLE ${qualified(schema, table)} IN SHARE ROW EXCLUSIVE MODE`;
}

/** The inserts and updates of one table. */
function rowChanges(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  const { mode } = facts.target;
  if (!findsByKey(mode)) return appendStatements(facts, names, hashing);
  return !inserts(mode) ? patchStatements(facts, names, hashing) : mergeStatements(facts, names, hashing);
}

/**
 * Whether rows that are gone are deleted before others are written, so that a value of a secondary unique key can pass
 * from one of them to a new row: not where rows that the batch is to change may still refer to them.
 */
function deletesFirst({ facts }: Pick<RowPublish, 'facts'>, all: readonly unknown[]): boolean {
  const { children } = facts.live;
  const alone = all.length === 1 && children.every((child) => !child.self);
  return deletesGone(facts.target) && (children.length === 0 || alone);
}

function writes({ facts, names, handed }: RowPublish, hashing: Hashing, first: boolean): string[] {
  const { mode } = facts.target;
  // Large tables may be scanned from the middle to share pages with another scan, which would lose the order.
  const scans = !findsByKey(mode) ? ['SET LOCAL synchronize_seqscans = off'] : [];
  const rows = [...scans, ...rowChanges(facts, names, hashing)];
  const deletes = first ? deleteStatements(facts, names) : [];
  return [
    ...guarded(facts, [...deletes, ...rows]),
    ...closeCounts(facts, names, handed),
    ...(!inserts(mode) ? [] : sequenceStatements(facts, names)),
  ];
}

function guarded(facts: RowTableFacts, statements: readonly string[]): string[] {
  return facts.target.noTriggers === true ? withoutTriggers(facts, statements) : [...statements];
}

/** Without a unique index a staged row could match, and change, several live rows. */
function ambiguityCheck(facts: RowTableFacts, names: RowNames): string {
  const { live, staging } = rowObjects(facts.target, names);
  const twice = `SELECT min(${keyJson(facts.key, 's')}::text) AS line FROM ${staging} s JOIN ${live} l ON ${sameKey(facts.key, 'l', 's')} GROUP BY s.ctid HAVING count(*) > 1`;
  return raiseWhen(
    SQLSTATE.keyAmbiguous,
    'rows of staging match more than one live row by key',
    offence(`${facts.target.schema}.${facts.target.table}`, twice),
  );
}

/** A row that is deleted by its key must be known by it, lest its undo put back another. */
function unkeyedCheck(facts: RowTableFacts): string[] {
  const unkeyed = unkeyedRows(facts);
  if (unkeyed === undefined) return [];
  const name = `${facts.target.schema}.${facts.target.table}`;
  return [raiseWhen(SQLSTATE.keyUnfit, 'rows of live are not known by their key', offence(name, unkeyed))];
}

/**
 * What comes first, for all tables before any row is changed: the lock, the guard's verdict, the checks that
 * need the lock, and the images of the rows to be changed.
 */
function opening(publish: RowPublish): WindowPart {
  const { facts, names, late = false, guard = [] } = publish;
  const { schema, table, mode } = facts.target;
  const lock = lockStatement(facts);
  const ambiguity = !findsByKey(mode) || facts.keyEnforced ? [] : [ambiguityCheck(facts, names)];
  const saves = [
    hiddenCheck({ schema, table }),
    ...ambiguity,
    ...unkeyedCheck(facts),
    ...saveStatements(facts, names),
    openCounts(facts, names),
  ];
  const opened = part(publish, late ? saves : [...(!findsByKey(mode) ? [] : [lock]), ...guard, ...saves]);
  const locks: TableLock[] = !findsByKey(mode)
    ? []
    : [{ schema, table, mode: 'SHARE ROW EXCLUSIVE', members: true }];
  return late ? { ...opened, locks, rechecks: guard } : { ...opened, locks };
}

function part({ facts, late = false }: RowPublish, statements: readonly string[]): WindowPart {
  const { schema, table } = facts.target;
  return windowPart(`${schema}.${table}`, late ? { late: statements } : { early: statements });
}
