import { findsByKey } from '../../../src/core/publish-mode.js';
import type { RowConstraints, RowExclusion, RowUnique } from '../../../src/db/catalog/row-constraints.js';
import type { RowColumn, RowTable } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { alongUsersPathInBlock } from '../../../src/db/users-path.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { futureRows } from '../constraints/future.js';
import { indexed, meets } from '../constraints/index-parts.js';
import { firing, sameKey } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects, undoTable } from './target.js';

/** A unique index, or an exclusion constraint. */
type Index = RowUnique | RowExclusion;

/** What of a table decides in which order its rows can be changed. */
interface Changed {
  readonly live: RowTable;
  readonly constraints: Pick<RowConstraints, 'uniques' | 'exclusions' | 'checks' | 'foreignKeys' | 'fills'>;
  /** The columns that are written. */
  readonly values: readonly RowColumn[];
  /** Whether triggers are switched off meanwhile. */
  readonly quiet: boolean;
}

/**
 * The indexes whose values may pass from one changed row to another within a batch, which the server asks row by row
 * since they are not deferrable: an UPDATE of both rows fails where the taker comes first.
 */
export function passedOn({ constraints, values }: Pick<Changed, 'constraints' | 'values'>): Index[] {
  const { uniques, exclusions, fills } = constraints;
  const names = new Set(values.map(({ name }) => name));
  for (const { column, generated, columns } of fills)
    if (generated && columns.some((each) => names.has(each))) names.add(column);
  return [...uniques, ...exclusions].filter(
    ({ asked, columns }) => asked === 'by row' && columns.some((column) => names.has(column)),
  );
}

/** The indexes that matter to a merge or patch; none where staging does not number its rows. */
export function passedOnBy(facts: RowTableFacts): Index[] {
  return !findsByKey(facts.target.mode) || !facts.numbered ? [] : passedOn(facts);
}

/** How a column of an index is given a value that nobody has, for as long as rows exchange theirs. */
interface Parking {
  readonly column: string;
  /** Over `p.n`, the number of the row among those that are parked; `among`: tables whose values are not to be met. */
  readonly value: (among: readonly string[]) => string;
}

/**
 * How rows that exchange values of an index in a circle can be parked; undefined where nothing fits: where a trigger
 * would see the value, or a CHECK, a partition's bound or a foreign key would refuse it or carry it on.
 */
export function parkingOf(table: Changed, index: Index): Parking | undefined {
  const { live, constraints, values, quiet } = table;
  if (!quiet && firing(table).length > 0) return undefined;
  const { checks, foreignKeys, uniques } = constraints;
  const inChildren = new Set(live.children.flatMap(({ parentColumns }) => parentColumns));
  const free = values.filter(
    ({ name }) =>
      // The server quotes only names that need it.
      index.parts.some(({ expression }) => expression === name || expression === ident(name)) &&
      !inChildren.has(name) &&
      !checks.some(({ columns }) => columns.includes(name)),
  );
  for (const { name, type, notNull } of free) {
    const keys = foreignKeys.filter(({ columns }) => columns.includes(name));
    const distinct = uniques.every((each) => each.nullsDistinct || !each.columns.includes(name));
    if (!notNull && distinct && !keys.some(({ full }) => full)) return { column: name, value: () => 'NULL' };
    if (keys.length > 0) continue;
    const value = freeValue(name, type);
    if (value !== undefined && 'nullsDistinct' in index) return { column: name, value };
  }
  return undefined;
}

/** A value of a type that no row has; undefined for types of which that cannot be told. */
function freeValue(column: string, type: string): Parking['value'] | undefined {
  const random =
    'pg_catalog.md5(pg_catalog.random()::pg_catalog.text OPERATOR(pg_catalog.||) p.n::pg_catalog.text)';
  const limit = /^character varying\((\d+)\)$/.exec(type)?.[1];
  if (type === 'text' || type === 'character varying') return () => random;
  if (limit !== undefined && Number(limit) >= 16) return () => `pg_catalog.left(${random}, ${limit})`;
  if (type === 'uuid') return () => `${random}::pg_catalog.uuid`;
  if (!['smallint', 'integer', 'bigint', 'numeric'].includes(type)) return undefined;
  return (among) =>
    `LEAST(${among.map((table) => `(SELECT pg_catalog.min(m.${ident(column)}) FROM ${table} m)`).join(', ')}) OPERATOR(pg_catalog.-) p.n`;
}

/** `changed` of a merge or patch. */
export function changedBy(facts: RowTableFacts): Changed {
  return { ...facts, quiet: facts.target.noTriggers === true };
}

/**
 * Which loaded row (`taker`) takes a value of the index `at` that another loaded row (`holder`) has as long as it is
 * not changed, both by their numbers: a query. `loaded` and `old`: the tables that stand for the loaded rows, and for
 * the rows of live as they are; only what is in `old` is changed.
 */
export function takersSql(
  facts: RowTableFacts,
  names: RowNames,
  indexes: readonly Index[],
  over: { readonly loaded: string; readonly old: string },
): string | undefined {
  const { live } = rowObjects(facts.target, names);
  const key = facts.key.map(({ name }) => name);
  const { row } = ORIGIN_COLUMNS;
  const saved = new Set(facts.image.map(({ name }) => name));
  const queries = indexes.flatMap((index, at) => {
    const needed = [...new Set([...index.columns, ...key])];
    const future = futureRows(facts, names, needed, over.loaded, `s.${row}`);
    if (future === undefined) return [];
    const taker = indexed(`(${future})`, index, [row, ...key.map(ident)]);
    const holds = index.columns.every((column) => saved.has(column)) ? over.old : live;
    const holder = indexed(holds, index, key.map(ident));
    return [
      `SELECT f.${row} AS taker, r.${row} AS holder, ${at} AS at FROM (${taker}) f JOIN ${over.old} b ON ${sameKey(facts.key, 'b', 'f')} JOIN (${holder}) o ON ${meets('o', 'f', index)} JOIN ${over.loaded} r ON ${sameKey(facts.key, 'r', 'o')} WHERE NOT (${sameKey(facts.key, 'o', 'f')})`,
    ];
  });
  return queries.length === 0 ? undefined : queries.join(' UNION ALL ');
}

/** Takers of `waits` that wait for each other in a circle: no chain of them begins with a row that is free to go. */
export function circleSql(waits: string): string {
  return `WITH RECURSIVE free(place) AS (SELECT w.holder FROM ${waits} w WHERE NOT EXISTS (SELECT FROM ${waits} x WHERE x.taker OPERATOR(pg_catalog.=) w.holder) UNION SELECT w.taker FROM free JOIN ${waits} w ON w.holder OPERATOR(pg_catalog.=) free.place) SELECT DISTINCT w.taker FROM ${waits} w WHERE NOT EXISTS (SELECT FROM free WHERE free.place OPERATOR(pg_catalog.=) w.taker)`;
}

/** An update of many rows, in an order that unique indexes allow. */
export interface InOrder {
  readonly table: Changed;
  /** Where the tables that are made for it are, and go again. */
  readonly undo: string;
  readonly key: readonly RowColumn[];
  readonly indexes: readonly Index[];
  /** Gives `taker`, `holder` and `at`, as takersSql does. */
  readonly takers: string;
  /** The rows with new values that are among the takers of a table, with their place as `sluice_row`: a query. */
  readonly late: (waits: string) => string;
  /** The type of a place. */
  readonly place: 'bigint' | 'tid';
  /** The statement for all rows that also meet a condition; the condition is made by `rest` out of the place. */
  readonly all: (rest: (place: string) => string) => string;
  /** The statement for the rows of a FROM item with the alias `s`, and a condition on them. */
  readonly some: (from: string, condition: string) => string;
  /** Tables whose values a parked row is not to meet. */
  readonly among: readonly string[];
}

/**
 * The statement that changes rows some of which take unique values that others give up: first those that wait for
 * nobody, then whoever waited for them, and so on, each row once, so that triggers see what they would see. Rows that
 * exchange values in a circle are parked before. What is asked at the end of each statement is asked after all of them. Where no row waits, which is asked by one query, it is one UPDATE.
 * A DO block, so that it can stand in the window's one message.
 */
export function updateInOrder(update: InOrder): string {
  const { table, undo, key, indexes, takers, place, among } = update;
  const { schema, table: name } = table.live;
  const live = qualified(schema, name);
  const waits = qualified(undo, undoTable(schema, name, 'waits'));
  const late = qualified(undo, undoTable(schema, name, 'late'));
  const { row } = ORIGIN_COLUMNS;
  const isOf = (array: string) => `OPERATOR(pg_catalog.=) ANY (${array})`;
  const parked = indexes.flatMap((index, at) => {
    const parking = parkingOf(table, index);
    if (parking === undefined) return [];
    const { column, value } = parking;
    return [
      alongUsersPathInBlock(
        `UPDATE ${live} l SET ${ident(column)} = ${value(among)} FROM (SELECT u.place, pg_catalog.row_number() OVER () AS n FROM pg_catalog.unnest(sluice_circle) u(place) WHERE EXISTS (SELECT FROM ${waits} w WHERE w.at OPERATOR(pg_catalog.=) ${at} AND w.holder OPERATOR(pg_catalog.=) u.place)) p JOIN ${late} s ON s.${row} OPERATOR(pg_catalog.=) p.place WHERE ${sameKey(key, 'l', 's')}`,
      ),
      `DELETE FROM ${waits} w WHERE w.at = ${at} AND w.holder ${isOf('sluice_circle')}`,
    ];
  });
  const park = [
    `sluice_circle := ARRAY(${circleSql(waits)})`,
    `IF pg_catalog.cardinality(sluice_circle) > 0 THEN ${parked.join('; ')}; END IF`,
  ];
  const { uniques, exclusions } = table.constraints;
  const byStatement = [...uniques, ...exclusions].filter(({ asked }) => asked === 'by statement');
  const when = (then: string) =>
    byStatement.length === 0
      ? []
      : [`SET CONSTRAINTS ${byStatement.map((each) => qualified(schema, each.name)).join(', ')} ${then}`];
  const stuck = `EXISTS (SELECT FROM ${waits} x JOIN ${waits} y ON y.taker OPERATOR(pg_catalog.=) x.holder WHERE x.taker OPERATOR(pg_catalog.=) w.taker)`;
  const next = (of: string) => `ARRAY(SELECT DISTINCT w.taker FROM ${waits} w WHERE ${of}NOT ${stuck})`;
  const body = [
    `DECLARE sluice_next ${place}[]; sluice_circle ${place}[]; BEGIN CREATE TABLE ${waits} AS ${takers}`,
    `IF NOT EXISTS (SELECT FROM ${waits}) THEN ${alongUsersPathInBlock(update.all(() => ''))}; DROP TABLE ${waits}; RETURN; END IF`,
    `CREATE INDEX ON ${waits} (taker)`,
    `CREATE INDEX ON ${waits} (holder)`,
    `CREATE TABLE ${late} AS ${update.late(waits)}`,
    `CREATE INDEX ON ${late} (${row})`,
    `ANALYZE ${waits}, ${late}`,
    ...when('DEFERRED'),
    ...(parked.length === 0 ? [] : park),
    alongUsersPathInBlock(
      update.all(
        (at) => ` AND NOT EXISTS (SELECT FROM ${waits} w WHERE w.taker OPERATOR(pg_catalog.=) ${at})`,
      ),
    ),
    `sluice_next := ${next('')}`,
    `WHILE pg_catalog.cardinality(sluice_next) > 0 LOOP ${alongUsersPathInBlock(update.some(late, `s.${row} ${isOf('sluice_next')}`))}`,
    `DELETE FROM ${waits} w WHERE w.taker ${isOf('sluice_next')}`,
    `sluice_next := ${next(`w.holder ${isOf('sluice_next')} AND `)}`,
    'END LOOP',
    // Whoever is left waits for ever: the server says what for.
    `IF EXISTS (SELECT FROM ${waits}) THEN ${alongUsersPathInBlock(update.some(late, `s.${row} OPERATOR(pg_catalog.=) ANY (SELECT w.taker FROM ${waits} w)`))}; END IF`,
    ...when('IMMEDIATE').map(alongUsersPathInBlock),
    `DROP TABLE ${waits}, ${late}`,
    'END',
  ].join('; ');
  return `DO ${literal(body)}`;
}
