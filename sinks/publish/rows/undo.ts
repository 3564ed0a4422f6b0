import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { ident, literal } from '../../../src/db/quote.js';
import { alongUsersPath } from '../../../src/db/users-path.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { indexed, meets } from '../constraints/index-parts.js';
import { SETTLE_ALL } from '../deferred.js';
import type { WindowPart } from '../window.js';
import { AFTER_FIRST } from './before-images.js';
import { childrenCheck } from './children.js';
import { afterSwap, parentsFirst } from './order.js';
import { offence, raiseWhen, SQLSTATE } from './refusals.js';
import { assignments, columnsOf, differs, firing, imageHash, namesOf, overriding, sameKey } from './sql.js';
import { passedOn, updateInOrder } from './takeovers.js';
import { withoutTriggers } from './triggers.js';
import { notAsBefore, undoChecks } from './undo-checks.js';
import type { UndoTable } from './undo-survey.js';

export interface UndoOptions {
  /** Undo although rows were changed since the publish, and lose those changes. */
  readonly discardWrites?: boolean;
  /** Tables that come back whole in the same window. */
  readonly replaced?: readonly { readonly schema: string; readonly table: string }[];
}

/**
 * The window's parts that undo append, merge, sync and patch of `tables` exactly, in the reverse of the publish:
 * lock and check every table; put deleted rows back, parents first; then, children first, delete the rows
 * that were added and put the before-images back; at last check that all is as it was.
 *
 * Triggers fire as they did in the publish, so that what they keep up elsewhere (counters, audit) follows. A
 * trigger that changes the restored row itself (updated_at, say) is then corrected with triggers switched
 * off where the role is the owner; otherwise the undo is refused rather than inexact. Refused by
 * raising: see rowRefusal. Sequences stay where they are.
 */
export function undoParts(tables: readonly UndoTable[], options: UndoOptions = {}): WindowPart[] {
  const discard = options.discardWrites === true;
  const ordered = parentsFirst(tables);
  const behind = afterSwap(tables, options.replaced ?? [], true);
  const part = (table: UndoTable, statements: readonly string[]) =>
    partOf(table, statements, behind.has(table));
  const reversed = [...ordered].reverse();
  // Rows of the batch may refer to those that come back; of one table alone none do, and what it has added may hold
  // values of theirs.
  const referred = ({ live: { children } }: UndoTable) =>
    children.length > 0 && (tables.length > 1 || children.some((child) => child.self));
  return [
    ...ordered.map((table) =>
      part(table, [...(behind.has(table) ? [] : [lock(table)]), ...undoChecks(table, discard)]),
    ),
    ...ordered.filter(referred).map((table) => part(table, fire(table, reinsert(table, discard)))),
    ...reversed.map((table) =>
      part(table, fire(table, [...takeBack(table), ...(referred(table) ? [] : reinsert(table, discard))])),
    ),
    // What triggers have put off may change the rows once more: it is to be over before they are compared.
    ...[false, true].flatMap((late) => {
      const first = ordered.find((table) => behind.has(table) === late);
      return first === undefined ? [] : [part(first, alongUsersPath([SETTLE_ALL]))];
    }),
    ...ordered.map((table) => part(table, [...repair(table, discard), ...conclude(table)])),
  ];
}

const lock = ({ objects }: UndoTable) => `LOCK TABLE ${objects.live} IN SHARE ROW EXCLUSIVE MODE`;

const fire = (table: UndoTable, statements: readonly string[]) =>
  table.triggersOff ? withoutTriggers(table, statements) : [...statements];

/** Whether the publish may have deleted rows; a merge of earlier versions could. */
const mayDelete = ({ mode }: UndoTable) => findsByKey(mode) && inserts(mode);

/** Puts rows back that the publish deleted, and with `discard` those that somebody deleted since. */
function reinsert(table: UndoTable, discard: boolean): string[] {
  const { live, before, deleted } = table.objects;
  if (table.key.length === 0 || !findsByKey(table.mode)) return [];
  const insert = (saved: string) =>
    `INSERT INTO ${live} AS l (${namesOf(table.image)})${overriding(table.image)} SELECT ${columnsOf('b', table.image)} FROM ${saved} b WHERE NOT EXISTS (SELECT FROM ${live} o WHERE ${sameKey(table.key, 'o', 'b')})`;
  return alongUsersPath([
    ...(mayDelete(table) ? [insert(deleted)] : []),
    ...(discard ? [insert(before)] : []),
  ]);
}

/** Deletes what was added and puts before-images back, in the order that suits the table's own keys. */
function takeBack(table: UndoTable): string[] {
  const restore = !findsByKey(table.mode) ? [] : restoreRows(table);
  if (!inserts(table.mode)) return restore;
  const remove = [...children(table), ...alongUsersPath([removeAdded(table)])];
  if (!table.live.children.some((child) => child.self)) return [...remove, ...restore];
  // A changed row may refer to an added row of the same table; otherwise deletes go first, since a changed
  // row may need a value of a unique key back that an added row holds. Where both may be, they are one statement.
  const ordered = restore.length > 0 && inOrderBy(table, restorable(table)).length > 0;
  return ordered
    ? [...children(table, true), ...restoreRows(table, removeAdded(table))]
    : [...restore, ...remove];
}

/** Identity columns GENERATED ALWAYS cannot be assigned to, and for that very reason have not changed. */
function restorable(table: UndoTable): RowColumn[] {
  return table.image.filter((column) => column.identity !== 'always' && !table.key.includes(column));
}

/** Puts the before-images back; `remove`: a DELETE that goes along, before. */
function restoreRows(table: UndoTable, remove?: string): string[] {
  const { live, before, deleted } = table.objects;
  const columns = restorable(table);
  if (columns.length === 0) return [];
  const update = (saved: string, remove?: string): string[] => {
    const set = `UPDATE ${live} AS l SET ${assignments(columns, 'b')}`;
    const whole = `${set} FROM ${saved} b WHERE ${sameKey(table.key, 'l', 'b')} AND ${differs(columns, 'l', 'b')}`;
    return restoreInOrder(table, columns, saved, whole, remove);
  };
  return mayDelete(table) ? [...update(before, remove), ...update(deleted)] : update(before);
}

/** `whole`, in an order in which rows can take unique values back from each other. */
function restoreInOrder(
  table: UndoTable,
  columns: readonly RowColumn[],
  saved: string,
  whole: string,
  remove?: string,
): string[] {
  const { live } = table.objects;
  const changed = { ...table, values: columns, quiet: table.triggersOff };
  const indexes = inOrderBy(table, columns);
  if (indexes.length === 0) return alongUsersPath([whole]);
  const key = table.key.map(({ name }) => ident(name));
  const takers = indexes.map((index, at) => {
    const taker = indexed(`(SELECT c.ctid AS sluice_place, c.* FROM ${saved} c)`, index, [
      'sluice_place',
      ...key,
    ]);
    const holder = indexed(live, index, key);
    return `SELECT f.sluice_place AS taker, r.ctid AS holder, ${at} AS at FROM (${taker}) f JOIN (${holder}) o ON ${meets('o', 'f', index)} JOIN ${saved} r ON ${sameKey(table.key, 'r', 'o')} WHERE NOT (${sameKey(table.key, 'o', 'f')})`;
  });
  const inOrder = updateInOrder({
    table: changed,
    undo: table.undo,
    key: table.key,
    indexes,
    takers: takers.join(' UNION ALL '),
    place: 'tid',
    late: (waits) =>
      `SELECT b.ctid AS ${ORIGIN_COLUMNS.row}, b.* FROM ${saved} b WHERE b.ctid IN (SELECT w.taker FROM ${waits} w)`,
    all: (rest) =>
      remove === undefined
        ? `${whole}${rest('b.ctid')}`
        : `WITH w AS (${remove} RETURNING 1) ${whole} AND ${AFTER_FIRST}${rest('b.ctid')}`,
    some: (from, condition) =>
      `UPDATE ${live} AS l SET ${assignments(columns, 's')} FROM ${from} s WHERE ${sameKey(table.key, 'l', 's')} AND ${condition}`,
    among: [live, saved],
  });
  return [inOrder];
}

/** The indexes whose values rows may take back from each other. */
function inOrderBy(table: UndoTable, columns: readonly RowColumn[]) {
  const known = new Set(table.image.map(({ name }) => name));
  return passedOn({ ...table, values: columns }).filter((index) =>
    index.columns.every((column) => known.has(column)),
  );
}

function removeAdded(table: UndoTable): string {
  const { live, written } = table.objects;
  if (table.key.length > 0) {
    return `DELETE FROM ${live} l USING ${written} w WHERE w.sluice_kind OPERATOR(pg_catalog.=) 'added' AND ${sameKey(table.key, 'l', 'w')}`;
  }
  const hash = imageHash(table.image, 'l');
  const { ours } = table;
  const known = ours === null || ours.with.length === 0 ? '' : `WITH ${ours.with.join(', ')} `;
  const those = ours === null ? '' : `${ours.join('l')} WHERE ${ours.is('l')}`;
  return `${known}DELETE FROM ${live} d USING (SELECT h.place, h.part FROM (SELECT l.ctid AS place, l.tableoid AS part, ${hash} AS hash, pg_catalog.row_number() OVER (PARTITION BY ${hash}) AS n FROM ${live} l${those}) h JOIN (SELECT w.sluice_hash, pg_catalog.count(*) AS n FROM ${written} w GROUP BY w.sluice_hash) w ON w.sluice_hash OPERATOR(pg_catalog.=) h.hash AND h.n OPERATOR(pg_catalog.<=) w.n) g WHERE d.ctid OPERATOR(pg_catalog.=) g.place AND d.tableoid OPERATOR(pg_catalog.=) g.part`;
}

/** `restored`: rows whose images are put back in the same statement refer to none that was added. */
function children(table: UndoTable, restored = false): string[] {
  const { written, before } = table.objects;
  const doomed = (alias: string) =>
    table.key.length > 0
      ? `EXISTS (SELECT FROM ${written} w WHERE w.sluice_kind = 'added' AND ${sameKey(table.key, alias, 'w')})`
      : `EXISTS (SELECT FROM ${written} w WHERE w.sluice_hash OPERATOR(pg_catalog.=) ${imageHash(table.image, alias)})`;
  const leaves = (alias: string) =>
    `${doomed(alias)} OR EXISTS (SELECT FROM ${before} b WHERE ${sameKey(table.key, alias, 'b')})`;
  const check = childrenCheck(table.live, doomed, restored ? leaves : undefined);
  return check === undefined ? [] : [check];
}

/** The same row changes once more without triggers, for rows that a trigger left other than they were. */
function repair(table: UndoTable, discard: boolean): string[] {
  if (table.triggersOff || !table.live.owned || firing(table).length === 0) return [];
  if (table.key.length === 0 || !findsByKey(table.mode)) return [];
  return withoutTriggers(table, [...reinsert(table, discard), ...restoreRows(table)]);
}

function conclude(table: UndoTable): string[] {
  const { schema, table: name } = table.live;
  return [
    raiseWhen(
      SQLSTATE.undoNotExact,
      'rows are not as before',
      offence(`${schema}.${name}`, notAsBefore(table)),
    ),
    `UPDATE ${table.objects.counts} SET undone_at = now() WHERE schema_name = ${literal(schema)} AND table_name = ${literal(name)}`,
  ];
}

function partOf({ live }: UndoTable, statements: readonly string[], late: boolean): WindowPart {
  return {
    table: `${live.schema}.${live.table}`,
    early: late ? [] : statements,
    dependents: [],
    locks: [{ schema: live.schema, table: live.table, mode: 'SHARE ROW EXCLUSIVE', members: true }],
    rechecks: [],
    out: [],
    in: [],
    after: [],
    late: late ? statements : [],
  };
}
