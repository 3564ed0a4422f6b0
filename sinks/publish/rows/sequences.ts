import type { RowColumn, RowSequence } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * Statements that move the sequences of loaded identity, serial and nextval columns past the values that
 * were loaded, so that the next generated one cannot collide. Never backwards. The largest loaded value is
 * looked for in staging, not in live: what live held before was the sequence's concern already.
 */
export function sequenceStatements(facts: RowTableFacts, names: RowNames): string[] {
  const { staging } = rowObjects(facts.target, names);
  const statements: string[] = [];
  for (const column of facts.loaded) {
    if (column.sequence !== null) statements.push(advance(column, column.sequence, staging));
  }
  return statements;
}

function advance(column: RowColumn, sequence: RowSequence, staging: string): string {
  const name = qualified(sequence.schema, sequence.name);
  const down = sequence.increment.startsWith('-');
  const beyond = `(sluice_top ${down ? '<' : '>'} q.last_value OR (sluice_top = q.last_value AND NOT q.is_called))`;
  // nextval() of other sessions does not wait for any table lock: between reading the position and setting
  // it, it could move on and be rewound. ALTER SEQUENCE (owner only) keeps it out until the commit, and a
  // rollback restores the position; who may not ALTER has that gap of microseconds.
  const hold = sequence.owned ? ` ALTER SEQUENCE ${name} INCREMENT BY ${sequence.increment};` : '';
  const body = `DECLARE sluice_top bigint; BEGIN SELECT ${down ? 'min' : 'max'}(s.${ident(column.name)}) INTO sluice_top FROM ${staging} s; IF EXISTS (SELECT FROM ${name} q WHERE ${beyond}) THEN${hold} PERFORM pg_catalog.setval(${literal(name)}, sluice_top) FROM ${name} q WHERE ${beyond}; END IF; END`;
  return `DO ${literal(body)}`;
}
