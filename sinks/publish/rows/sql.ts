import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { deletesGone, type RowTableFacts } from './target.js';

/** `alias.column, …` for each of `columns`. */
export function columnsOf(alias: string, columns: readonly RowColumn[]): string {
  return columns.map((column) => `${alias}.${ident(column.name)}`).join(', ');
}

/** The columns' names, quoted, separated by commas. */
export function namesOf(columns: readonly RowColumn[]): string {
  return columns.map((column) => ident(column.name)).join(', ');
}

/**
 * The condition under which two rows have the same key. The operator is written with its schema because the
 * statements are run along several search_paths, under one of which a type of an extension (citext, say) would silently be
 * compared as something else.
 */
export function sameKey(key: readonly RowColumn[], left: string, right: string): string {
  return key
    .map((column) => {
      const name = ident(column.name);
      return `${left}.${name} ${column.equality} ${right}.${name}`;
    })
    .join(' AND ');
}

/**
 * The condition under which two rows differ in any of `columns`, byte by byte. Not IS DISTINCT FROM: that
 * fails on types without equality (json, point, xml) and takes 1.0 for 1.00 and, in citext, `Ann` for `ANN`,
 * so that a correction would be dropped as "unchanged". The casts keep the parser from comparing column by
 * column, which `*<>` does not have.
 */
export function differs(columns: readonly RowColumn[], left: string, right: string): string {
  const row = (alias: string) => `ROW(${columnsOf(alias, columns)})::pg_catalog.record`;
  return `${row(left)} OPERATOR(pg_catalog.*<>) ${row(right)}`;
}

/**
 * A hash of a row's image (32 bytes). Taken from the binary form, which no setting of the session
 * (DateStyle, TimeZone, extra_float_digits) changes, so that undo may run in any session.
 */
export function imageHash(columns: readonly RowColumn[], alias: string): string {
  const parts = columns.map(
    (column) => `${alias}.${ident(column.name)}${column.sendable ? '' : '::pg_catalog.text'}`,
  );
  return `pg_catalog.sha256(pg_catalog.record_send(ROW(${parts.join(', ')})))`;
}

/** `a = s.a, b = s.b` for an UPDATE. */
export function assignments(columns: readonly RowColumn[], from: string): string {
  return columns.map((column) => `${ident(column.name)} = ${from}.${ident(column.name)}`).join(', ');
}

/** Needed to insert explicit values into an identity column that is GENERATED ALWAYS; empty otherwise. */
export function overriding(columns: readonly RowColumn[]): string {
  return columns.some((column) => column.identity === 'always') ? ' OVERRIDING SYSTEM VALUE' : '';
}

/** A json object of the key's values, as messages list them. */
export function keyJson(key: readonly RowColumn[], alias: string): string {
  const pairs = key.map((column) => `${literal(column.name)}, ${alias}.${ident(column.name)}::text`);
  return `json_build_object(${pairs.join(', ')})`;
}

/**
 * The keys of live that stand for several rows, or are NULL in part: a SELECT with one text column `line`. Undefined
 * where nothing is deleted by the key, and where it cannot be so.
 */
export function unkeyedRows(facts: RowTableFacts): string | undefined {
  const { key, keyEnforced, target } = facts;
  if (!deletesGone(target) || (keyEnforced && key.every((column) => column.notNull))) return undefined;
  const known = key.map((column) => `l.${ident(column.name)}`);
  const unknown = known.map((column) => `${column} IS NULL`).join(' OR ');
  return `SELECT min(${keyJson(key, 'l')}::text) AS line FROM ${qualified(target.schema, target.table)} l GROUP BY ${known.join(', ')} HAVING count(*) > 1 OR ${unknown}`;
}

/**
 * ORDER BY for the rows of staging (`s`) that are inserted, where something numbers them: staging's free space is
 * filled again, so that its `ctid` is no order. Empty where nobody could tell.
 */
export function inFileOrder({ inOrder, numbered }: Pick<RowTableFacts, 'inOrder' | 'numbered'>): string {
  return inOrder && numbered ? ` ORDER BY s.${ORIGIN_COLUMNS.row}` : '';
}

/** The user triggers that fire in an ordinary session. */
export function firing(facts: Pick<RowTableFacts, 'live'>) {
  return facts.live.triggers.filter((trigger) => trigger.enabled === 'O' || trigger.enabled === 'A');
}
