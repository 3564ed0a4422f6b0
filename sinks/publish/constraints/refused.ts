import type { ClientBase } from 'pg';
import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { closeSchemas } from '../../../src/db/close.js';
import { ident, idents, literal, qualified, value } from '../../../src/db/quote.js';
import { type ServerError, sqlstateOf } from '../../../src/db/server-error.js';

import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { contextOf } from '../context.js';
import { breachOf, SQLSTATES } from './breach.js';
import { PLACE } from './future.js';
import type { Question } from './questions.js';
import type { Subject } from './subject.js';

/** Holds, in a batch's staging schema, the rows that were taken out of its staging tables, and why. */
export const refusedTable = (staging: string): string => qualified(staging, 'sluice_refused');

/**
 * Makes the table of refused rows where it is not there yet, open to nobody. Logged, as staging is. The index is the order
 * in which they are read, a page at a time.
 */
export function refusedTableSql(staging: string): string {
  return `CREATE TABLE IF NOT EXISTS ${refusedTable(staging)} (at integer NOT NULL, row_number bigint NOT NULL, line bigint, breach text NOT NULL, sqlstate text NOT NULL, constraint_name text, columns text[] NOT NULL, expected text NOT NULL, message text, first_row bigint, first_line bigint, loaded json NOT NULL, told boolean NOT NULL DEFAULT false, settled boolean NOT NULL DEFAULT false, PRIMARY KEY (at, row_number)); CREATE INDEX IF NOT EXISTS sluice_refused_order ON ${refusedTable(staging)} (coalesce(line, 0), row_number); ${closeSchemas([staging], ['relations'])}`;
}

/** So that the planner knows how many refused rows there are: else it sorts all of them for each page of `readRefused`. */
export const analyzeRefusedSql = (staging: string): string => `ANALYZE ${refusedTable(staging)}`;

/** The loaded columns of `s` as a json object of texts, from which the very same row can be made again. */
function asTexts(columns: readonly RowColumn[]): string {
  const names = columns.map(({ name }) => literal(name)).join(', ');
  const values = columns.map(({ name }) => `s.${ident(name)}::text`).join(', ');
  return `pg_catalog.json_object(ARRAY[${names}]::text[], ARRAY[${values}]::text[])`;
}

/** The statement that moves the rows which answer `question` from the subject's loaded rows to the refused ones. Pure. */
export function refuseSql(subject: Subject, question: Question, staging: string): string {
  const { at, facts, rows } = subject;
  const { breach, constraint, columns, expected, bad } = question;
  const { row, line } = ORIGIN_COLUMNS;
  const told = [
    value(at),
    `g.${row}`,
    `g.${line}`,
    literal(breach),
    literal(SQLSTATES[breach]),
    value(constraint),
    `ARRAY[${columns.map((name) => literal(name)).join(', ')}]::text[]`,
    literal(expected),
    'g.sluice_first_row',
    'g.sluice_first_line',
    'g.loaded',
  ];
  return `WITH bad AS (SELECT DISTINCT ON (${PLACE}) ${PLACE}, sluice_first_row, sluice_first_line FROM (${bad}) q ORDER BY ${PLACE}), g AS (DELETE FROM ${rows} s USING bad b WHERE s.ctid OPERATOR(pg_catalog.=) b.${PLACE} RETURNING s.${row}, s.${line}, b.sluice_first_row, b.sluice_first_line, ${asTexts(facts.loaded)} AS loaded) INSERT INTO ${refusedTable(staging)} (at, row_number, line, breach, sqlstate, constraint_name, columns, expected, first_row, first_line, loaded) SELECT ${told.join(', ')} FROM g`;
}

/**
 * Moves rows that the server refused alone from the subject's loaded rows to the refused ones, with what it said. In one
 * statement for each.
 */
export async function refuseAlone(
  client: ClientBase,
  subject: Subject,
  staging: string,
  alone: readonly { readonly row: number; readonly error: ServerError }[],
): Promise<void> {
  const { at, facts, rows } = subject;
  const { row, line } = ORIGIN_COLUMNS;
  for (const { row: number, error } of alone) {
    const sqlstate = sqlstateOf(error) ?? '';
    const { constraint, detail } = error;
    const columns = constraint === undefined ? [error.column ?? []].flat() : columnsOf(subject, constraint);
    await client.query(
      `WITH g AS (DELETE FROM ${rows} s WHERE s.${row} = $1 RETURNING s.${row}, s.${line}, ${asTexts(facts.loaded)} AS loaded) INSERT INTO ${refusedTable(staging)} (at, row_number, line, breach, sqlstate, constraint_name, columns, expected, message, loaded) SELECT $2, g.${row}, g.${line}, $3, $4, $5, $6, $7, $8, g.loaded FROM g`,
      [
        number,
        at,
        breachOf(sqlstate) ?? 'refused_by_server',
        sqlstate,
        constraint ?? null,
        columns,
        'what the table and its triggers take',
        [error.message, ...[detail, contextOf(error)[0]].flatMap((each) => (each ? [`(${each})`] : []))].join(
          ' ',
        ),
      ],
    );
  }
}

/** The columns of a constraint of the subject's table, as far as they are known. */
function columnsOf({ facts }: Subject, constraint: string): readonly string[] {
  const { checks, uniques, exclusions, foreignKeys } = facts.constraints;
  const all: readonly { readonly name: string | null; readonly columns: readonly string[] }[] = [
    ...checks,
    ...uniques,
    ...exclusions,
    ...foreignKeys,
  ];
  return all.find(({ name }) => name === constraint)?.columns ?? [];
}

/** The statement that puts a subject's refused rows back among the loaded ones, just as they were. Pure. */
export function putBackSql({ at, facts, rows }: Subject, staging: string): string {
  const { row, line } = ORIGIN_COLUMNS;
  const made = facts.loaded.map(({ name, type }) => `(r.loaded->>${literal(name)})::${type}`);
  const names = facts.loaded.map(({ name }) => name);
  return `WITH r AS (DELETE FROM ${refusedTable(staging)} WHERE at = ${value(at)} RETURNING *) INSERT INTO ${rows} (${idents(names)}, ${row}, ${line}) SELECT ${made.join(', ')}, r.row_number, r.line FROM r`;
}

/** Notes that the accounts which the ledger keeps of a batch are with its refused rows. */
export const settleSql = (staging: string): string =>
  `UPDATE ${refusedTable(staging)} SET settled = true WHERE NOT settled`;

/** A row that was taken out of staging because it breaks a constraint. */
export interface RefusedRow {
  readonly at: number;
  /** Its number in the load; see ORIGIN_COLUMNS. */
  readonly row: number;
  readonly line: number | null;
  readonly breach: string;
  readonly sqlstate: string;
  readonly constraint: string | null;
  readonly columns: readonly string[];
  readonly expected: string;
  /** What the server said, where it was asked with just this row. */
  readonly message: string | null;
  readonly firstRow: number | null;
  readonly firstLine: number | null;
  /** The loaded columns as the table has them, as text. */
  readonly loaded: Readonly<Record<string, string | null>>;
}

/**
 * The next refused rows that nobody was told of, in the order in which the inputs gave them: those after the row with
 * the number `after`, at most `limit`, of the end whose rows have numbers below `below`.
 */
export async function readRefused(
  client: ClientBase,
  staging: string,
  range: {
    readonly after: { readonly line: number; readonly row: number };
    readonly from: number;
    readonly below: number;
    readonly limit: number;
  },
): Promise<RefusedRow[]> {
  const { rows } = await client.query(
    `SELECT at, row_number::float8 AS "row", line::float8 AS line, breach, sqlstate, constraint_name AS "constraint",
            to_json(columns) AS columns, expected, message, first_row::float8 AS "firstRow",
            first_line::float8 AS "firstLine", loaded
     FROM ${refusedTable(staging)} WHERE NOT told AND row_number > $1 AND row_number <= $2
       AND (coalesce(line, 0), row_number) > ($3, $4)
     ORDER BY coalesce(line, 0), row_number LIMIT $5`,
    [range.from, range.below, range.after.line, range.after.row, range.limit],
  );
  return rows as RefusedRow[];
}
