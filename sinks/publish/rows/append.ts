import { alongUsersPath } from '../../../src/db/users-path.js';
import { type Hashing, noteWritten } from './before-images.js';
import { columnsOf, inFileOrder, namesOf, overriding } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * The row changes of an append. One plain scan of staging, sorted only where something numbers the rows. Takes no lock beyond INSERT's own: the
 * table's unique indexes decide about duplicates, whoever else writes.
 */
export function appendStatements(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  const { live, staging } = rowObjects(facts.target, names);
  const insert = `INSERT INTO ${live} AS l (${namesOf(facts.loaded)})${overriding(facts.loaded)} SELECT ${columnsOf('s', facts.loaded)} FROM ${staging} s${inFileOrder(facts)}`;
  return alongUsersPath([noteWritten(facts, names, { added: insert }, hashing)]);
}
