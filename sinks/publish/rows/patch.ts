import type { Hashing } from './before-images.js';
import { updateStatements } from './merge.js';
import { offence, raiseWhen, SQLSTATE } from './refusals.js';
import { keyJson, sameKey } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * The row changes of a patch, for a table that is locked against writers: UPDATE of the named columns where
 * they differ. Keys that live does not have stop the publish, or are counted under missing: 'skip'.
 */
export function patchStatements(facts: RowTableFacts, names: RowNames, hashing: Hashing): string[] {
  const { live, staging } = rowObjects(facts.target, names);
  const absent = `FROM ${staging} s WHERE NOT EXISTS (SELECT FROM ${live} o WHERE ${sameKey(facts.key, 'o', 's')})`;
  const check = raiseWhen(
    SQLSTATE.keyMissing,
    'rows of staging have a key that live does not have',
    offence(
      `${facts.target.schema}.${facts.target.table}`,
      `SELECT ${keyJson(facts.key, 's')}::text AS line ${absent}`,
    ),
  );
  const skip = facts.target.missing === 'skip';
  return [...(skip ? [] : [check]), ...updateStatements(facts, names, hashing)];
}
