import type { Rejection } from '../../../src/core/run.js';
import { shown } from '../../load/encode/encoder.js';

/**
 * The reasons of rejects that break a constraint: PostgreSQL's names of the conditions. `no_such_row` is the one that
 * it calls no_data: a row of a patch whose key live does not have.
 */
export type Breach =
  | 'no_such_row'
  | 'cardinality_violation'
  | 'check_violation'
  | 'not_null_violation'
  | 'foreign_key_violation'
  | 'unique_violation'
  | 'exclusion_violation';

/** SQLSTATE by condition; https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATES: Readonly<Record<Breach, string>> = {
  no_such_row: '02000',
  cardinality_violation: '21000',
  check_violation: '23514',
  not_null_violation: '23502',
  foreign_key_violation: '23503',
  unique_violation: '23505',
  exclusion_violation: '23P01',
};

/** The breach that an SQLSTATE tells of, if any. */
export function breachOf(sqlstate: string | undefined): Breach | undefined {
  return (Object.keys(SQLSTATES) as Breach[]).find((breach) => SQLSTATES[breach] === sqlstate);
}

/** Characters of a value that a sentence shows. */
const SAID_CHARACTERS = 80;

/** Why a row is rejected that breaks a constraint. */
export interface Broken {
  readonly reason: string;
  readonly sqlstate: string;
  readonly constraint: string | null;
  /** The columns of the constraint; those that `row` has not were not loaded. */
  readonly columns: readonly string[];
  readonly row: Readonly<Record<string, unknown>>;
  readonly expected: string;
  /** What else the sentence says. */
  readonly also?: string;
  /** The sentence, where it is not to be made of the others. */
  readonly message?: string;
}

/** The rejection of a row that breaks a constraint: which, by which columns, with which values, and what would be right. */
export function brokenRejection(broken: Broken): Rejection {
  const { reason, sqlstate, constraint, columns, row, expected, also = '', message } = broken;
  const known = columns.filter((column) => Object.hasOwn(row, column));
  const values = known.map((column) => shown(row[column]));
  const said = known.map((column, i) => {
    const value = values[i] ?? null;
    return `${column} is ${value === null ? 'NULL' : `"${value.slice(0, SAID_CHARACTERS)}"`}`;
  });
  const what = said.length > 0 ? said.join(', ') : columns.join(', ');
  const named = constraint === null ? '' : ` (constraint ${constraint})`;
  const value = values.length === 1 ? values[0] : values.map((each) => each ?? 'NULL').join(', ');
  return {
    reason,
    sqlstate,
    message: message ?? `${what}${what === '' ? '' : '; '}expected: ${expected}${also}${named}`,
    ...(message === undefined ? { expected } : {}),
    ...(constraint === null ? {} : { constraint }),
    ...(columns.length === 0 ? {} : { column: columns.join(', ') }),
    ...(values.length === 0 ? {} : { value }),
  };
}
