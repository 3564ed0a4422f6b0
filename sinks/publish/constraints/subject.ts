import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import { qualified } from '../../../src/db/quote.js';
import { firing } from '../rows/sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from '../rows/target.js';

/** A table whose loaded rows are asked whether they break its constraints. */
export interface Subject {
  /** Its place in the batch, from 1. */
  readonly at: number;
  readonly facts: RowTableFacts;
  readonly names: RowNames;
  /** The loaded rows, with ORIGIN_COLUMNS: quoted and qualified. */
  readonly rows: string;
  /** Rows that live has now will be there no more (replace). */
  readonly replaces: boolean;
}

/** A table that is published with its rows as staging has them, for what the others refer to. */
export interface Company {
  readonly schema: string;
  readonly table: string;
  /** Its loaded rows, quoted and qualified. */
  readonly rows: string;
  readonly replaces: boolean;
  /** The columns whose values are known already. */
  readonly known: ReadonlySet<string>;
  /** It gets rows that live has not. */
  readonly adds: boolean;
}

/** A subject as the other tables of its batch see it. */
export function companyOf({ facts, rows, replaces }: Subject): Company {
  const { schema, table, mode } = facts.target;
  return {
    schema,
    table,
    rows,
    replaces,
    known: new Set(facts.loaded.map(({ name }) => name)),
    adds: inserts(mode),
  };
}

/** The subject of a table whose rows are changed, out of its own staging. */
export function rowSubject(at: number, facts: RowTableFacts, names: RowNames): Subject {
  return { at, facts, names, rows: rowObjects(facts.target, names).staging, replaces: false };
}

/** Whether triggers may still change a row before the table takes it, so that only the publish itself can tell. */
export function mayChange({ facts, replaces }: Subject): boolean {
  return !replaces && triggersMayChange(facts);
}

/** Whether the publish fires triggers before a row is written, which may change it. */
export function triggersMayChange({ target, constraints }: RowTableFacts): boolean {
  if (target.noTriggers === true) return false;
  const { insert, update } = constraints.changedBefore;
  return (insert && inserts(target.mode)) || (update && findsByKey(target.mode));
}

/** Whether user triggers fire at all when the table is published; they may write to any other one. */
export function isLoud({ facts, replaces }: Subject): boolean {
  return !replaces && facts.target.noTriggers !== true && firing(facts).length > 0;
}

/** Whether some of them fire before the table's own foreign keys are checked. */
export function firesBeforeKeys(subject: Subject): boolean {
  return isLoud(subject) && subject.facts.constraints.firesBeforeKeys;
}

/** `schema.table` of live, as messages have it. */
export const liveName = ({ facts }: Subject): string => `${facts.target.schema}.${facts.target.table}`;

/** Live, quoted and qualified. */
export const liveOf = ({ facts }: Subject): string => qualified(facts.target.schema, facts.target.table);
