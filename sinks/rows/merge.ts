import { type Hashing, noteWritten, saveBefore, saveDeleted } from './before-images.js';
import { childrenCheck } from './children.js';
import { countDeletes } from './counts.js';
import { assignments, columnsOf, differs, inFileOrder, namesOf, overriding, sameKey } from './sql.js';
import { deletesGone, type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * The row changes of a merge or sync but for its deletes, for a table that is locked against writers and whose before-images are
 * saved: UPDATE of the rows that differ, INSERT of the keys that are new.
 *
 * Not ON CONFLICT, although a unique index may fit: under the lock there is no race for it to settle, and it
 * would fire BEFORE INSERT triggers and draw sequence numbers for rows that exist, fail on NOT NULL columns
 * that are not loaded even where no row is new, and not tell added from changed. The same statements serve
 * keys with and without an index.
 */
export function mergeStatements(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  const { live, staging } = rowObjects(facts.target, names);
  const absent = `NOT EXISTS (SELECT FROM ${live} o WHERE ${sameKey(facts.key, 'o', 's')})`;
  const insert = `INSERT INTO ${live} AS l (${namesOf(facts.loaded)})${overriding(facts.loaded)} SELECT ${columnsOf('s', facts.loaded)} FROM ${staging} s WHERE ${absent}${inFileOrder(facts)}`;
  const update = updateStatements(facts, names, hashing);
  const add = noteWritten(facts, names, 'added', insert, hashing);
  // A changed row of a table that refers to itself may refer to a new one. Elsewhere updates go first, since a
  // new row may take over a value of another unique key that a changed row gives up.
  const self = facts.live.children.some((child) => child.self);
  return self ? [add, ...update] : [...update, add];
}

/**
 * The UPDATE of the loaded columns of the rows whose images were saved, and of no other: a row that only a
 * trigger has made different meanwhile could not be put back. Shared with patch.
 */
export function updateStatements(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  if (facts.values.length === 0) return [];
  const { live, staging, before } = rowObjects(facts.target, names);
  const update = `UPDATE ${live} AS l SET ${assignments(facts.values, 's')} FROM ${before} b JOIN ${staging} s ON ${sameKey(facts.key, 's', 'b')} WHERE ${sameKey(facts.key, 'l', 'b')}`;
  return [noteWritten(facts, names, 'changed', update, hashing)];
}

/**
 * Saves the images of all rows that a merge, sync or patch is going to change or delete. Run for every table of
 * the batch before the first row change: triggers of one table may write to another.
 */
export function saveStatements(facts: RowTableFacts, names: RowNames): string[] {
  if (facts.target.mode === 'append') return [];
  const { staging } = rowObjects(facts.target, names);
  const gone = `NOT EXISTS (SELECT FROM ${staging} s WHERE ${sameKey(facts.key, 'l', 's')})`;
  return [
    ...(facts.values.length > 0 ? [saveBefore(facts, names, differs(facts.values, 'l', 's'))] : []),
    ...(deletesGone(facts.target) ? [saveDeleted(facts, names, gone)] : []),
  ];
}

/**
 * The deletes of a sync: live rows whose key staging does not have. Refused
 * where other rows refer to them, for a foreign key with ON DELETE CASCADE would take those along.
 */
export function deleteStatements(facts: RowTableFacts, names: RowNames): string[] {
  const { live, deleted } = rowObjects(facts.target, names);
  const check = childrenCheck(
    facts.live,
    (alias) => `EXISTS (SELECT FROM ${deleted} d WHERE ${sameKey(facts.key, alias, 'd')})`,
  );
  const remove = `DELETE FROM ${live} l USING ${deleted} d WHERE ${sameKey(facts.key, 'l', 'd')}`;
  return [...(check === undefined ? [] : [check]), remove, ...countDeletes(facts, names)];
}
