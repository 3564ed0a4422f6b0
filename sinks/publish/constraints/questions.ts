import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowForeignKey } from '../../../src/db/catalog/row-constraints.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { differs, sameKey } from '../rows/sql.js';
import type { Breach } from './breach.js';
import { futureRows, PLACE } from './future.js';
import { type Company, liveOf, mayChange, type Subject } from './subject.js';

/** One question to the loaded rows of a table. */
export interface Question {
  readonly breach: Breach;
  /** The constraint's name; null where a rule of the mode's own is meant, such as the key of a merge. */
  readonly constraint: string | null;
  readonly columns: readonly string[];
  /** What would have been right. */
  readonly expected: string;
  /** Statements that are run before, and after, in the same transaction. */
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  /**
   * A query for the rows that break it: PLACE; and `sluice_first_row`, `sluice_first_line` of the row that keeps them
   * out, where that is a loaded one.
   */
  readonly bad: string;
  /**
   * The same where what it calls names things along the user's search_path: `gate`, a condition that is asked before the
   * first row, gives the session that path; the query's own names were looked up by then.
   */
  readonly badBehind?: (gate: string) => string;
}

/** For `bad`: no loaded row keeps them out. */
export const NO_FIRST = 'NULL::bigint AS sluice_first_row, NULL::bigint AS sluice_first_line';

/** Conditions on rows by themselves: what a new row lacks, CHECKs and the bounds of partitions. */
export function rowQuestions(subject: Subject): Question[] {
  const found = partners(subject);
  if (mayChange(subject)) return found;
  const { facts, names, rows } = subject;
  const questions: Question[] = [...nullKeys(subject), ...found];
  const { mode } = facts.target;
  const required = facts.live.columns.filter(
    (column) => column.notNull && !column.filled && !column.generated && !facts.loaded.includes(column),
  );
  if (findsByKey(mode) && inserts(mode) && required.length > 0)
    questions.push({
      breach: 'not_null_violation',
      constraint: null,
      columns: required.map(({ name }) => name),
      expected: 'a value, since the row is new: the column is NOT NULL without a default, and is not loaded',
      bad: `SELECT s.ctid AS ${PLACE}, ${NO_FIRST} FROM ${rows} s WHERE NOT EXISTS (SELECT FROM ${liveOf(subject)} l WHERE ${sameKey(facts.key, 'l', 's')})`,
    });
  for (const { name, expression, columns } of facts.constraints.checks) {
    const future = futureRows(facts, names, columns, rows);
    if (future === undefined) continue;
    const broken = (gate: string) =>
      unlessUnchanged(subject, `SELECT ${PLACE} FROM (${future}) f WHERE ${gate}NOT (${expression})`);
    questions.push({
      breach: 'check_violation',
      constraint: name,
      columns,
      expected:
        name === null
          ? `what the bounds of partitions of ${facts.target.schema}.${facts.target.table} take: ${expression}`
          : expression,
      bad: broken(''),
      badBehind: (gate) => broken(`${gate} AND `),
    });
  }
  return questions;
}

/** NULL in the key of a merge, sync or patch: such a row would find no other, nor itself the next time. */
function nullKeys({ facts, rows }: Subject): Question[] {
  if (!findsByKey(facts.target.mode)) return [];
  return facts.key.map(({ name }) => ({
    breach: 'not_null_violation' as const,
    constraint: null,
    columns: [name],
    expected: `a value: it is of the key of the ${facts.target.mode}`,
    bad: `SELECT s.ctid AS ${PLACE}, ${NO_FIRST} FROM ${rows} s WHERE s.${ident(name)} IS NULL`,
  }));
}

/** Which row of live is meant: of a patch it must be there, and where no index says so, it must be one. */
function partners(subject: Subject): Question[] {
  const { facts, rows } = subject;
  const { mode, missing, schema, table } = facts.target;
  const about = { constraint: null, columns: facts.key.map(({ name }) => name) };
  const same = sameKey(facts.key, 'l', 's');
  const questions: Question[] = [];
  if (!inserts(mode) && missing !== 'skip')
    questions.push({
      ...about,
      breach: 'no_such_row',
      expected: `the key of a row of ${schema}.${table}, since a patch adds none`,
      bad: `SELECT s.ctid AS ${PLACE}, ${NO_FIRST} FROM ${rows} s WHERE NOT EXISTS (SELECT FROM ${liveOf(subject)} l WHERE ${same})`,
    });
  if (findsByKey(mode) && !facts.keyEnforced)
    questions.push({
      ...about,
      breach: 'cardinality_violation',
      expected: `the key of one row of ${schema}.${table}: it has several with this`,
      bad: `SELECT s.ctid AS ${PLACE}, ${NO_FIRST} FROM ${rows} s JOIN ${liveOf(subject)} l ON ${same} GROUP BY s.ctid HAVING count(*) > 1`,
    });
  return questions;
}

/** `bad` without rows that live has already just so: they are not written, and nothing asks them. */
function unlessUnchanged(subject: Subject, bad: string): string {
  const { facts, rows } = subject;
  if (!findsByKey(facts.target.mode)) return `SELECT b.${PLACE}, ${NO_FIRST} FROM (${bad}) b`;
  const same = facts.values.length === 0 ? '' : ` AND NOT (${differs(facts.values, 'l', 's')})`;
  return `SELECT b.${PLACE}, ${NO_FIRST} FROM (${bad}) b JOIN ${rows} s ON s.ctid OPERATOR(pg_catalog.=) b.${PLACE} WHERE NOT EXISTS (SELECT FROM ${liveOf(subject)} l WHERE ${sameKey(facts.key, 'l', 's')}${same})`;
}

/** Rows without a parent: neither in live, nor among the rows of the batch. */
export function parentQuestions(subject: Subject, company: readonly Company[]): Question[] {
  if (mayChange(subject)) return [];
  const { facts, names, rows } = subject;
  return facts.constraints.foreignKeys.flatMap((key): Question[] => {
    const parent = company.find(
      ({ schema, table }) => schema === key.parent.schema && table === key.parent.table,
    );
    // Values that the database is still to make up, a number by a sequence say, may be just those.
    const told = parent === undefined || key.parentColumns.every((column) => parent.known.has(column));
    if (!told && parent?.adds === true) return [];
    const future = futureRows(facts, names, key.columns, rows);
    if (future === undefined) return [];
    const places = [
      ...(parent?.replaces === true ? [] : [qualified(key.parent.schema, key.parent.table)]),
      ...(parent !== undefined && told ? [parent.rows] : []),
    ];
    return [
      {
        breach: 'foreign_key_violation',
        constraint: key.name,
        columns: key.columns,
        expected: `${key.parentColumns.join(', ')} of a row of ${key.parent.schema}.${key.parent.table}`,
        bad: unlessUnchanged(subject, orphans(key, future, places)),
      },
    ];
  });
}

function orphans(
  { columns, parentColumns, operators, full }: RowForeignKey,
  future: string,
  places: readonly string[],
): string {
  const named = columns.map((column) => `f.${ident(column)}`);
  const complete = named.map((column) => `${column} IS NOT NULL`).join(' AND ');
  const matches = named
    .map((column, i) => `p.${ident(parentColumns[i] as string)} ${operators[i]} ${column}`)
    .join(' AND ');
  const absent = places.map((place) => ` AND NOT EXISTS (SELECT FROM ${place} p WHERE ${matches})`).join('');
  const partly =
    full && columns.length > 1
      ? ` OR pg_catalog.num_nonnulls(${named.join(', ')}) BETWEEN 1 AND ${columns.length - 1}`
      : '';
  // A disjunction would keep the server from an anti-join.
  const half =
    partly === '' ? '' : ` UNION ALL SELECT f.${PLACE} FROM (${future}) f WHERE ${partly.slice(4)}`;
  return `SELECT f.${PLACE} FROM (${future}) f WHERE ${complete}${absent}${half}`;
}
