import { findsByKey } from '../../../src/core/publish-mode.js';
import type { RowExclusion, RowUnique } from '../../../src/db/catalog/row-constraints.js';
import { ident } from '../../../src/db/quote.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { sameKey } from '../rows/sql.js';
import { changedBy, circleSql, parkingOf, passedOnBy, takersSql } from '../rows/takeovers.js';
import { deletesGone } from '../rows/target.js';
import { futureRows, PLACE } from './future.js';
import { complete, equal, indexed, meets, ORIGINS, us } from './index-parts.js';
import { NO_FIRST, type Question } from './questions.js';
import { liveOf, mayChange, type Subject } from './subject.js';

/** Values that may be there once and are there twice: among the loaded rows, or once in live already. */
export function keyQuestions(subject: Subject): Question[] {
  const { facts } = subject;
  const questions: Question[] = [];
  const { mode } = facts.target;
  const uniques = facts.constraints.uniques;
  const isKey = ({ columns, predicate, parts }: RowUnique) =>
    findsByKey(mode) &&
    predicate === null &&
    parts.length === columns.length &&
    parts.length === facts.key.length &&
    facts.key.every(({ name }) => columns.includes(name));
  if (findsByKey(mode)) questions.push(duplicates(subject, keyOf(subject, uniques.find(isKey))) as Question);
  if (mayChange(subject)) return questions;
  for (const unique of uniques.filter((each) => !isKey(each))) {
    const twice = duplicates(subject, unique);
    if (twice !== undefined) questions.push(twice);
    const taken = conflicts(subject, unique, 'unique_violation');
    if (taken !== undefined) questions.push(taken);
  }
  return questions;
}

/**
 * Rows whose value another row has that live keeps: to be asked again where a loaded row has gone that was to give its
 * value up.
 */
export function takenQuestions(subject: Subject): Question[] {
  const { uniques } = subject.facts.constraints;
  const changes = new Set(passedOnBy(subject.facts).map(({ name }) => name));
  return mayChange(subject)
    ? []
    : uniques
        .filter(({ name }) => changes.has(name))
        .flatMap((unique) => [conflicts(subject, unique, 'unique_violation') ?? []].flat());
}

/** Rows that exchange values in a circle, where no order does it, and no other value can stand in meanwhile. */
export function circleQuestions(subject: Subject, scratch: string): Question[] {
  const { facts, names, rows } = subject;
  const { mode, schema, table } = facts.target;
  if (!findsByKey(mode) || mayChange(subject)) return [];
  const { row } = ORIGIN_COLUMNS;
  const changed = changedBy(facts);
  const indexes = passedOnBy(facts).filter((index) => parkingOf(changed, index) === undefined);
  return indexes.flatMap((index): Question[] => {
    const takers = takersSql(facts, names, [index], { loaded: rows, old: liveOf(subject) });
    if (takers === undefined) return [];
    return [
      {
        breach: 'nullsDistinct' in index ? 'unique_violation' : 'exclusion_violation',
        constraint: index.name,
        columns: index.columns,
        expected: `a value that no row of ${schema}.${table} has: rows of the batch take it from each other in a circle, which no order of changes allows, since the index is not deferrable (make the constraint DEFERRABLE, or load twice, first with values that nobody has)`,
        before: [
          `CREATE TABLE ${scratch} AS ${takers}`,
          `CREATE INDEX ON ${scratch} (taker)`,
          `CREATE INDEX ON ${scratch} (holder)`,
          `ANALYZE ${scratch}`,
        ],
        bad: `SELECT s.ctid AS ${PLACE}, ${NO_FIRST} FROM ${rows} s WHERE s.${row} IN (${circleSql(scratch)})`,
        after: [`DROP TABLE ${scratch}`],
      },
    ];
  });
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
    asked: 'by row',
    nullsDistinct: true,
    columns: facts.key.map(({ name }) => name),
  };
}

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
  const keyed = findsByKey(facts.target.mode) && unique.named === undefined;
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
  // Rows that live loses go before others come; where rows of the table itself may refer to them, behind all changes.
  const loses = deletesGone(target);
  if (replaces || (loses && !facts.live.children.some(({ self }) => self))) return undefined;
  const byKey = findsByKey(target.mode);
  const keyNames = byKey ? key.map(({ name }) => name) : [];
  const future = futureRows(facts, names, [...new Set([...index.columns, ...keyNames])], rows);
  if (future === undefined) return undefined;
  const loaded = indexed(`(${future})`, index, [...ORIGINS, ...keyNames.map(ident)]);
  const live = indexed(liveOf(subject), index, keyNames.map(ident));
  const meet = meets('o', 'f', index);
  const stays = byKey
    ? ` AND NOT (${sameKey(key, 'o', 'f')}) AND NOT EXISTS (SELECT FROM ${rows} r WHERE ${sameKey(key, 'r', 'o')})`
    : '';
  return {
    breach,
    constraint: index.name,
    columns: index.columns,
    expected: loses
      ? `a value that no row of ${target.schema}.${target.table} has: that of a row which is to be deleted is free only after the publish, since rows of ${target.table} refer to each other (load twice)`
      : breach === 'unique_violation'
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
