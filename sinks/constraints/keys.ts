import type { IndexPart, RowExclusion, RowUnique } from '../../src/db/catalog/row-constraints.js';
import { ident } from '../../src/db/quote.js';
import { sameKey } from '../rows/sql.js';
import { deletesGone } from '../rows/target.js';
import { futureRows, PLACE } from './future.js';
import { NO_FIRST, type Question } from './questions.js';
import { liveOf, mayChange, type Subject } from './subject.js';

/** Values that may be there once and are there twice: among the loaded rows, or once in live already. */
export function keyQuestions(subject: Subject): Question[] {
  const { facts } = subject;
  const questions: Question[] = [];
  const { mode } = facts.target;
  const uniques = facts.constraints.uniques;
  const isKey = ({ columns, predicate, parts }: RowUnique) =>
    mode !== 'append' &&
    predicate === null &&
    parts.length === columns.length &&
    parts.length === facts.key.length &&
    facts.key.every(({ name }) => columns.includes(name));
  if (mode !== 'append') questions.push(duplicates(subject, keyOf(subject, uniques.find(isKey))) as Question);
  if (mayChange(subject)) return questions;
  for (const unique of uniques.filter((each) => !isKey(each))) {
    const twice = duplicates(subject, unique);
    if (twice !== undefined) questions.push(twice);
    const taken = conflicts(subject, unique, 'unique_violation');
    if (taken !== undefined) questions.push(taken);
  }
  return questions;
}

/** Rows that an exclusion constraint keeps apart. Asked of an index that is built for it: as slow as the publish. */
export function exclusionQuestions(subject: Subject, scratch: string): Question[] {
  if (mayChange(subject)) return [];
  return subject.facts.constraints.exclusions.flatMap((exclusion) => [
    ...[conflicts(subject, exclusion, 'exclusion_violation') ?? []].flat(),
    ...[apart(subject, exclusion, scratch) ?? []].flat(),
  ]);
}

/** The key of a merge, sync or patch as a unique index of its own, by the name of live's where it has one. */
function keyOf(
  { facts }: Subject,
  index: RowUnique | undefined,
): RowUnique & { readonly named: string | null } {
  return {
    name: '',
    named: index?.name ?? null,
    parts: facts.key.map(({ name, equality }) => ({
      expression: ident(name),
      collation: null,
      operator: equality ?? '=',
    })),
    predicate: null,
    nullsDistinct: true,
    columns: facts.key.map(({ name }) => name),
  };
}

const part = ({ expression, collation }: IndexPart) =>
  collation === null ? `(${expression})` : `(${expression}) COLLATE ${collation}`;

/** The rows of `from` with the parts of an index as columns `sluice_u1`, …, and those of `also`. */
function indexed(
  from: string,
  { parts, predicate }: Pick<RowUnique, 'parts' | 'predicate'>,
  also: readonly string[],
): string {
  const made = parts.map((each, i) => `${part(each)} AS sluice_u${i + 1}`);
  const where = predicate === null ? '' : ` WHERE ${predicate}`;
  return `SELECT ${[...also, ...made].join(', ')} FROM ${from} i${where}`;
}

const ORIGINS = [PLACE, 'sluice_row', 'sluice_line'];
const us = (alias: string, parts: readonly IndexPart[]) => parts.map((_, i) => `${alias}.sluice_u${i + 1}`);
const equal = (left: string, right: string, parts: readonly IndexPart[]) =>
  parts
    .map(({ operator }, i) => `${left}.sluice_u${i + 1} ${operator} ${right}.sluice_u${i + 1}`)
    .join(' AND ');
const complete = (alias: string, parts: readonly IndexPart[]) =>
  us(alias, parts)
    .map((column) => `${column} IS NOT NULL`)
    .join(' AND ');

/**
 * All but the first of the loaded rows that are the same by an index. First is the one that live has with just this
 * value already, since it stays, and then the one that was loaded first.
 */
function duplicates(
  subject: Subject,
  unique: RowUnique & { readonly named?: string | null },
): Question | undefined {
  const { facts, names, rows } = subject;
  const { parts, columns, nullsDistinct } = unique;
  const keyed = facts.target.mode !== 'append' && unique.named === undefined;
  const key = keyed ? facts.key.map(({ name }) => name) : [];
  const future = futureRows(facts, names, [...new Set([...columns, ...key])], rows);
  if (future === undefined) return undefined;
  const all = indexed(`(${future})`, unique, [...ORIGINS, ...key.map(ident)]);
  const named = us('f', parts).join(', ');
  const held = keyed
    ? `(EXISTS (SELECT FROM (${indexed(liveOf(subject), unique, key.map(ident))}) o WHERE ${sameKey(facts.key, 'o', 'f')} AND ${equal('o', 'f', parts)})) DESC, `
    : '';
  // Few rows are sorted, mostly none: only those whose value is known to be there twice.
  const twice = `SELECT ${named} FROM (${all}) f WHERE ${complete('f', parts)} GROUP BY ${named} HAVING count(*) > 1`;
  const some = nullsDistinct ? ` JOIN (${twice}) t ON ${equal('f', 't', parts)}` : '';
  const window = `PARTITION BY ${named} ORDER BY ${held}f.sluice_row`;
  return {
    breach: 'unique_violation',
    constraint: unique.named === undefined ? unique.name : unique.named,
    columns,
    expected:
      unique.named === undefined
        ? 'a value that no other loaded row has'
        : `one row for each key of the ${facts.target.mode}`,
    bad: `SELECT d.${PLACE}, d.sluice_first_row, d.sluice_first_line FROM (SELECT f.${PLACE}, row_number() OVER w AS n, first_value(f.sluice_row) OVER w AS sluice_first_row, first_value(f.sluice_line) OVER w AS sluice_first_line FROM (${all}) f${some} WINDOW w AS (${window})) d WHERE d.n > 1`,
  };
}

/** Rows that meet a row of live which stays as it is: none of the loaded rows changes or deletes it. */
function conflicts(
  subject: Subject,
  index: RowUnique | RowExclusion,
  breach: 'unique_violation' | 'exclusion_violation',
): Question | undefined {
  const { facts, names, rows, replaces } = subject;
  const { target, key } = facts;
  if (replaces || deletesGone(target)) return undefined;
  const byKey = target.mode !== 'append';
  const keyNames = byKey ? key.map(({ name }) => name) : [];
  const future = futureRows(facts, names, [...new Set([...index.columns, ...keyNames])], rows);
  if (future === undefined) return undefined;
  const loaded = indexed(`(${future})`, index, [...ORIGINS, ...keyNames.map(ident)]);
  const live = indexed(liveOf(subject), index, keyNames.map(ident));
  const nulls = 'nullsDistinct' in index && !index.nullsDistinct;
  const meet = nulls
    ? index.parts
        .map(
          ({ operator }, i) =>
            `(o.sluice_u${i + 1} ${operator} f.sluice_u${i + 1} OR (o.sluice_u${i + 1} IS NULL AND f.sluice_u${i + 1} IS NULL))`,
        )
        .join(' AND ')
    : equal('o', 'f', index.parts);
  const stays = byKey
    ? ` AND NOT (${sameKey(key, 'o', 'f')}) AND NOT EXISTS (SELECT FROM ${rows} r WHERE ${sameKey(key, 'r', 'o')})`
    : '';
  return {
    breach,
    constraint: index.name,
    columns: index.columns,
    expected:
      breach === 'unique_violation'
        ? `a value that no row of ${target.schema}.${target.table} has`
        : `no conflict with a row of ${target.schema}.${target.table}`,
    bad: `SELECT f.${PLACE}, ${NO_FIRST} FROM (${loaded}) f WHERE EXISTS (SELECT FROM (${live}) o WHERE ${meet}${stays})`,
  };
}

/** Rows that conflict with one loaded before them, as a table with the same constraint would take them one by one. */
function apart(subject: Subject, exclusion: RowExclusion, scratch: string): Question | undefined {
  const { facts, names, rows } = subject;
  const future = futureRows(facts, names, exclusion.columns, rows);
  if (future === undefined) return undefined;
  const columns = exclusion.columns.map((name) => `i.${ident(name)}`).join(', ');
  const definition = exclusion.definition.replace(
    /( NOT)? DEFERRABLE( INITIALLY (DEFERRED|IMMEDIATE))?$/,
    '',
  );
  return {
    breach: 'exclusion_violation',
    constraint: exclusion.name,
    columns: exclusion.columns,
    expected: 'no conflict with a row that was loaded before it',
    before: [
      `DROP TABLE IF EXISTS ${scratch}`,
      `CREATE TABLE ${scratch} AS SELECT ${columns}, i.sluice_row FROM (${future}) i WITH NO DATA`,
      `ALTER TABLE ${scratch} ADD ${definition}`,
      `INSERT INTO ${scratch} SELECT ${columns}, i.sluice_row FROM (${future}) i ORDER BY i.sluice_row ON CONFLICT DO NOTHING`,
      `ANALYZE ${scratch}`,
    ],
    bad: `SELECT f.${PLACE}, ${NO_FIRST} FROM (${future}) f WHERE NOT EXISTS (SELECT FROM ${scratch} t WHERE t.sluice_row OPERATOR(pg_catalog.=) f.sluice_row)`,
    after: [`DROP TABLE ${scratch}`],
  };
}
