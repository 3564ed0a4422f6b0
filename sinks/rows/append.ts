import { type Hashing, noteWritten } from './before-images.js';
import { columnsOf, namesOf, overriding } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * The row changes of an append. One plain scan of staging, so the rows go in as they were loaded (the
 * window must not let scans start in the middle: see rowParts). Takes no lock beyond INSERT's own: the
 * table's unique indexes decide about duplicates, whoever else writes.
 */
export function appendStatements(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  const { live, staging } = rowObjects(facts.target, names);
  const insert = `INSERT INTO ${live} AS l (${namesOf(facts.loaded)})${overriding(facts.loaded)} SELECT ${columnsOf('s', facts.loaded)} FROM ${staging} s`;
  return [noteWritten(facts, names, 'added', insert, hashing)];
}
