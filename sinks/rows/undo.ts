import { literal } from '../../src/db/quote.js';
import { SETTLE_ALL } from '../deferred.js';
import type { WindowPart } from '../window.js';
import { childrenCheck } from './children.js';
import { parentsFirst } from './order.js';
import { offence, raiseWhen, SQLSTATE } from './refusals.js';
import { assignments, columnsOf, differs, firing, imageHash, namesOf, overriding, sameKey } from './sql.js';
import { withoutTriggers } from './triggers.js';
import { notAsBefore, undoChecks } from './undo-checks.js';
import type { UndoTable } from './undo-survey.js';

export interface UndoOptions {
  /** Undo although rows were changed since the publish, and lose those changes. */
  readonly discardWrites?: boolean;
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
  const reversed = [...ordered].reverse();
  // Rows of the batch may refer to those that come back; of one table alone none do, and what it has added may hold
  // values of theirs.
  const referred = ({ live: { children } }: UndoTable) =>
    children.length > 0 && (tables.length > 1 || children.some((child) => child.self));
  return [
    ...ordered.map((table) => part(table, [lock(table), ...undoChecks(table, discard)])),
    ...ordered.filter(referred).map((table) => part(table, fire(table, reinsert(table, discard)))),
    ...reversed.map((table) =>
      part(table, fire(table, [...takeBack(table), ...(referred(table) ? [] : reinsert(table, discard))])),
    ),
    // What triggers have put off may change the rows once more: it is to be over before they are compared.
    ...ordered.slice(0, 1).map((table) => part(table, [SETTLE_ALL])),
    ...ordered.map((table) => part(table, [...repair(table, discard), ...conclude(table)])),
  ];
}

const lock = ({ objects }: UndoTable) => `LOCK TABLE ${objects.live} IN SHARE ROW EXCLUSIVE MODE`;

const fire = (table: UndoTable, statements: readonly string[]) =>
  table.triggersOff ? withoutTriggers(table, statements) : [...statements];

/** Whether the publish may have deleted rows; a merge of earlier versions could. */
const mayDelete = ({ mode }: UndoTable) => mode === 'merge' || mode === 'sync';

/** Puts rows back that the publish deleted, and with `discard` those that somebody deleted since. */
function reinsert(table: UndoTable, discard: boolean): string[] {
  const { live, before, deleted } = table.objects;
  if (table.key.length === 0 || table.mode === 'append') return [];
  const insert = (saved: string) =>
    `INSERT INTO ${live} AS l (${namesOf(table.image)})${overriding(table.image)} SELECT ${columnsOf('b', table.image)} FROM ${saved} b WHERE NOT EXISTS (SELECT FROM ${live} o WHERE ${sameKey(table.key, 'o', 'b')})`;
  return [...(mayDelete(table) ? [insert(deleted)] : []), ...(discard ? [insert(before)] : [])];
}

/** Deletes what was added and puts before-images back, in the order that suits the table's own keys. */
function takeBack(table: UndoTable): string[] {
  const remove = table.mode === 'patch' ? [] : [...children(table), removeAdded(table)];
  const restore = table.mode === 'append' ? [] : restoreRows(table);
  // A changed row may refer to an added row of the same table; otherwise deletes go first, since a changed
  // row may need a value of a unique key back that an added row holds.
  const self = table.live.children.some((child) => child.self);
  return self ? [...restore, ...remove] : [...remove, ...restore];
}

function restoreRows(table: UndoTable): string[] {
  const { live, before, deleted } = table.objects;
  // Identity columns GENERATED ALWAYS cannot be assigned to, and for that very reason have not changed.
  const columns = table.image.filter((column) => column.identity !== 'always' && !table.key.includes(column));
  if (columns.length === 0) return [];
  const update = (saved: string) =>
    `UPDATE ${live} AS l SET ${assignments(columns, 'b')} FROM ${saved} b WHERE ${sameKey(table.key, 'l', 'b')} AND ${differs(columns, 'l', 'b')}`;
  return mayDelete(table) ? [update(before), update(deleted)] : [update(before)];
}

function removeAdded(table: UndoTable): string {
  const { live, written } = table.objects;
  if (table.key.length > 0) {
    return `DELETE FROM ${live} l USING ${written} w WHERE w.sluice_kind = 'added' AND ${sameKey(table.key, 'l', 'w')}`;
  }
  const hash = imageHash(table.image, 'l');
  const { ours } = table;
  const known = ours === null || ours.with.length === 0 ? '' : `WITH ${ours.with.join(', ')} `;
  const those = ours === null ? '' : `${ours.join('l')} WHERE ${ours.is('l')}`;
  return `${known}DELETE FROM ${live} d USING (SELECT h.place, h.part FROM (SELECT l.ctid AS place, l.tableoid AS part, ${hash} AS hash, row_number() OVER (PARTITION BY ${hash}) AS n FROM ${live} l${those}) h JOIN (SELECT w.sluice_hash, count(*) AS n FROM ${written} w GROUP BY w.sluice_hash) w ON w.sluice_hash OPERATOR(pg_catalog.=) h.hash AND h.n <= w.n) g WHERE d.ctid OPERATOR(pg_catalog.=) g.place AND d.tableoid OPERATOR(pg_catalog.=) g.part`;
}

function children(table: UndoTable): string[] {
  const { written } = table.objects;
  const doomed = (alias: string) =>
    table.key.length > 0
      ? `EXISTS (SELECT FROM ${written} w WHERE w.sluice_kind = 'added' AND ${sameKey(table.key, alias, 'w')})`
      : `EXISTS (SELECT FROM ${written} w WHERE w.sluice_hash OPERATOR(pg_catalog.=) ${imageHash(table.image, alias)})`;
  const check = childrenCheck(table.live, doomed);
  return check === undefined ? [] : [check];
}

/** The same row changes once more without triggers, for rows that a trigger left other than they were. */
function repair(table: UndoTable, discard: boolean): string[] {
  if (table.triggersOff || !table.live.owned || firing(table).length === 0) return [];
  if (table.key.length === 0 || table.mode === 'append') return [];
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

function part({ live }: UndoTable, early: readonly string[]): WindowPart {
  return {
    table: `${live.schema}.${live.table}`,
    early,
    dependents: [],
    locks: [{ schema: live.schema, table: live.table, mode: 'SHARE ROW EXCLUSIVE', members: true }],
    rechecks: [],
    out: [],
    in: [],
    after: [],
    late: [],
  };
}
