import type { ColumnFacts, IndexFacts, TableFacts } from '../../../src/db/catalog/facts.js';
import { ident, literal, qualified, value } from '../../../src/db/quote.js';
import { indexOn, statisticsOn } from './definitions.js';
import { alone, aloneInParallel } from './distributed.js';
import type { StagedTable } from './staging.js';

/** How an index is built, and the tablespace where that is not the database's. */
export interface IndexBuild {
  readonly sql: string;
  readonly tablespace: string | null;
}

/** SQL that makes a staged table structurally like live. `indexes` may run in any order and side by side. */
export interface Structure {
  /** Takes off what live has not, or has otherwise. */
  readonly drop: readonly string[];
  readonly columns: readonly string[];
  /**
   * Unique indexes, to be built one after the other before the others: of several over the same columns a foreign key
   * gets the oldest, and must get the one that it goes by.
   */
  readonly firstIndexes: readonly IndexBuild[];
  readonly indexes: readonly IndexBuild[];
  /** Constraints but foreign keys, after the indexes. */
  readonly constraints: readonly string[];
  readonly statistics: readonly string[];
}

/**
 * What must change so that `have` (the staged table's facts) gets the structure of `live`. `keyed`: the indexes that
 * foreign keys go by. Pure.
 */
export function structureStatements(
  live: TableFacts,
  have: TableFacts,
  staged: StagedTable,
  keyed: ReadonlySet<string> = new Set(),
): Structure {
  const table = qualified(staged.schema, staged.table);
  const drop: string[] = [];
  const firstIndexes: IndexBuild[] = [];
  const indexes: IndexBuild[] = [];
  const constraints: string[] = [];
  const statistics: string[] = [];

  const kept = new Set<string>();
  for (const index of have.indexes) {
    const want = live.indexes.find((each) => each.name === index.name);
    const key = have.constraints.find((each) => each.name === index.constraint);
    const wantKey = live.constraints.find((each) => each.name === want?.constraint);
    const same =
      want !== undefined &&
      index.valid &&
      indexOn(want, live, staged) === indexOn(index, staged, staged) &&
      want.tablespace === index.tablespace &&
      key?.definition === wantKey?.definition;
    if (same) kept.add(index.name);
    else if (index.constraint !== null)
      drop.push(`ALTER TABLE ${table} DROP CONSTRAINT ${ident(index.constraint)}`);
    else drop.push(`DROP INDEX ${qualified(staged.schema, index.name)}`);
  }
  const isPrimary = (index: IndexFacts) =>
    live.constraints.some((each) => each.type === 'p' && each.name === index.constraint);
  // Keys that go by the primary key say so, so it comes behind its rivals.
  const missing = live.indexes.filter((each) => !kept.has(each.name));
  for (const index of missing.sort((a, b) => Number(isPrimary(a)) - Number(isPrimary(b)))) {
    const key = live.constraints.find((each) => each.name === index.constraint);
    if (key === undefined || (key.type !== 'x' && !key.period)) {
      const build = {
        sql: aloneInParallel(live, indexOn(index, live, staged)),
        tablespace: index.tablespace,
      };
      if (keyed.has(index.name) && live.indexes.some((other) => isRival(index, other)))
        firstIndexes.push(build);
      else indexes.push(build);
    }
    if (key !== undefined) {
      const deferral = `${key.deferrable ? ' DEFERRABLE' : ''}${key.deferred ? ' INITIALLY DEFERRED' : ''}`;
      const body =
        key.type === 'x' || key.period
          ? key.definition
          : `${key.type === 'p' ? 'PRIMARY KEY' : 'UNIQUE'} USING INDEX ${ident(index.name)}${deferral}`;
      const add = alone(live, `ALTER TABLE ${table} ADD CONSTRAINT ${ident(key.name)} ${body}`);
      constraints.push(body === key.definition ? `${placing(index)}; ${add}` : add);
    }
  }

  const plain = (facts: TableFacts) => facts.constraints.filter((each) => 'cn'.includes(each.type));
  for (const check of plain(have)) {
    const same = plain(live).some(
      (each) =>
        each.name === check.name && each.definition === check.definition && each.enforced === check.enforced,
    );
    if (!same) drop.push(`ALTER TABLE ${table} DROP CONSTRAINT ${ident(check.name)}`);
  }
  for (const check of plain(live)) {
    if (plain(have).some((each) => each.name === check.name && each.definition === check.definition))
      continue;
    constraints.push(
      alone(live, `ALTER TABLE ${table} ADD CONSTRAINT ${ident(check.name)} ${check.definition}`),
    );
  }

  for (const object of have.statistics) {
    const want = live.statistics.find((each) => each.name === object.name);
    const at = { schema: staged.schema, table: staged.table };
    if (want && statisticsOn(want, live, at, staged.schema) === statisticsOn(object, at, at, staged.schema))
      continue;
    drop.push(`DROP STATISTICS ${qualified(object.schema, object.name)}`);
  }
  for (const want of live.statistics) {
    const built = statisticsOn(want, live, staged, staged.schema);
    const same = have.statistics.some(
      (each) => each.name === want.name && statisticsOn(each, staged, staged, staged.schema) === built,
    );
    if (!same) statistics.push(built);
  }
  const columns = columnStatements(live, have, table);
  const each = (statements: readonly string[]) => statements.map((sql) => alone(live, sql));
  return {
    ...{ drop: each(drop), columns: each(columns), statistics: each(statistics) },
    ...{ firstIndexes, indexes, constraints },
  };
}

/** Whether a foreign key by its columns may find either of the two. */
function isRival(one: IndexFacts, other: IndexFacts): boolean {
  return (
    one.name !== other.name &&
    one.referable !== null &&
    JSON.stringify(one.referable) === JSON.stringify(other.referable)
  );
}

/** Has what is built next in the transaction stand where live's index does, whatever the database's default is. */
export const placing = ({ tablespace }: { readonly tablespace: string | null }): string =>
  `SET LOCAL default_tablespace = ${literal(tablespace ?? '')}`;

/** The statement that builds an index, as one message that may stand alone. */
export const buildIndex = (index: IndexBuild): string => `BEGIN; ${placing(index)}; ${index.sql}; COMMIT`;

const STORAGE: Record<string, string> = { p: 'PLAIN', e: 'EXTERNAL', m: 'MAIN', x: 'EXTENDED' };
const COMPRESSION: Record<string, string> = { '': 'DEFAULT', p: 'pglz', l: 'lz4' };

function columnStatements(live: TableFacts, have: TableFacts, table: string): string[] {
  const changes: string[] = [];
  // From 18 on NOT NULL is a named constraint, and reconciled as one.
  const named = [...live.constraints, ...have.constraints].some((each) => each.type === 'n');
  for (const want of live.columns) {
    const is = have.columns.find((each) => each.name === want.name) as ColumnFacts;
    const change = (sql: string) =>
      changes.push(`ALTER TABLE ${table} ALTER COLUMN ${ident(want.name)} ${sql}`);
    if (want.generated === '' && want.default !== is.default) {
      change(want.default === null ? 'DROP DEFAULT' : `SET DEFAULT ${want.default}`);
    }
    if (!named && want.notNull !== is.notNull) change(want.notNull ? 'SET NOT NULL' : 'DROP NOT NULL');
    if (want.storage !== is.storage) change(`SET STORAGE ${STORAGE[want.storage]}`);
    if (want.compression !== is.compression) change(`SET COMPRESSION ${COMPRESSION[want.compression]}`);
    if (want.statistics !== is.statistics) change(`SET STATISTICS ${want.statistics}`);
    changes.push(
      ...optionChanges(`ALTER TABLE ${table} ALTER COLUMN ${ident(want.name)}`, want.options, is.options),
    );
    if (want.comment !== is.comment) {
      changes.push(`COMMENT ON COLUMN ${table}.${ident(want.name)} IS ${value(want.comment)}`);
    }
  }
  return changes;
}

/** `alter SET (…)` and `alter RESET (…)` as needed to get from `is` to `want`. */
export function optionChanges(
  alter: string,
  want: readonly string[],
  is: readonly string[],
  prefix = '',
): string[] {
  const name = (option: string) => option.split('=', 1)[0] as string;
  const set = want.filter((option) => !is.includes(option));
  const reset = is.filter((option) => !want.some((other) => name(other) === name(option)));
  const list = (options: readonly string[]) =>
    options.map((option) => {
      const at = option.indexOf('=');
      return `${prefix}${ident(option.slice(0, at))}=${literal(option.slice(at + 1))}`;
    });
  return [
    ...(set.length === 0 ? [] : [`${alter} SET (${list(set).join(', ')})`]),
    ...(reset.length === 0
      ? []
      : [`${alter} RESET (${reset.map((option) => prefix + ident(name(option))).join(', ')})`]),
  ];
}
