import { findsByKey } from '../../../src/core/publish-mode.js';
import { alongUsersPath } from '../../../src/db/users-path.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { AFTER_FIRST, type Hashing, noteWritten, saveBefore, saveDeleted } from './before-images.js';
import { childrenCheck } from './children.js';
import { countDeletes } from './counts.js';
import { assignments, columnsOf, differs, inFileOrder, namesOf, overriding, sameKey } from './sql.js';
import { changedBy, passedOnBy, takersSql, updateInOrder } from './takeovers.js';
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
  const insert = (also = '') =>
    `INSERT INTO ${live} AS l (${namesOf(facts.loaded)})${overriding(facts.loaded)} SELECT ${columnsOf('s', facts.loaded)} FROM ${staging} s WHERE ${absent}${also}${inFileOrder(facts)}`;
  // A changed row of a table that refers to itself may refer to a new one. Elsewhere updates go first, since a
  // new row may take over a value of another unique key that a changed row gives up; where both may be, they are
  // one statement, after which the foreign key is asked.
  const self = facts.live.children.some((child) => child.self);
  if (self && facts.values.length > 0 && passedOnBy(facts).length > 0)
    return updateStatements(facts, names, hashing, insert(` AND ${AFTER_FIRST}`));
  const update = updateStatements(facts, names, hashing);
  const add = alongUsersPath([noteWritten(facts, names, { added: insert() }, hashing)]);
  return self ? [...add, ...update] : [...update, ...add];
}

/**
 * The UPDATE of the loaded columns of the rows whose images were saved, and of no other: a row that only a
 * trigger has made different meanwhile could not be put back. Shared with patch. Where rows take unique values that
 * others give up, in an order in which that can be. `insert`: the INSERT that goes along.
 */
export function updateStatements(
  facts: RowTableFacts,
  names: RowNames,
  hashing: Hashing,
  insert?: string,
): string[] {
  if (facts.values.length === 0) return [];
  const { live, staging, before } = rowObjects(facts.target, names);
  const set = `UPDATE ${live} AS l SET ${assignments(facts.values, 's')}`;
  const saved = `${before} b JOIN ${staging} s ON ${sameKey(facts.key, 's', 'b')}`;
  const update = `${set} FROM ${saved} WHERE ${sameKey(facts.key, 'l', 'b')}`;
  const added = insert === undefined ? {} : { added: insert };
  const indexes = passedOnBy(facts);
  const takers = takersSql(facts, names, indexes, { loaded: staging, old: before });
  if (takers === undefined)
    return alongUsersPath([noteWritten(facts, names, { changed: update, ...added }, hashing)]);
  const { row } = ORIGIN_COLUMNS;
  return [
    updateInOrder({
      table: changedBy(facts),
      undo: names.undo,
      key: facts.key,
      indexes,
      takers,
      place: 'bigint',
      late: (waits) => `SELECT s.* FROM ${saved} WHERE s.${row} IN (SELECT w.taker FROM ${waits} w)`,
      all: (rest) =>
        noteWritten(facts, names, { changed: `${update}${rest(`s.${row}`)}`, ...added }, hashing),
      some: (from, condition) =>
        noteWritten(
          facts,
          names,
          { changed: `${set} FROM ${from} s WHERE ${sameKey(facts.key, 'l', 's')} AND ${condition}` },
          hashing,
        ),
      among: [live, staging],
    }),
  ];
}

/**
 * Saves the images of all rows that a merge, sync or patch is going to change or delete. Run for every table of
 * the batch before the first row change: triggers of one table may write to another.
 */
export function saveStatements(facts: RowTableFacts, names: RowNames): string[] {
  if (!findsByKey(facts.target.mode)) return [];
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
  return [
    ...(check === undefined ? [] : [check]),
    ...alongUsersPath([remove]),
    ...countDeletes(facts, names),
  ];
}
