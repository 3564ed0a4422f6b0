import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowFill } from '../../../src/db/catalog/row-constraints.js';
import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { ident } from '../../../src/db/quote.js';
import { sameKey } from '../rows/sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from '../rows/target.js';

/** The row's `ctid` in staging, beside the columns of ORIGIN_COLUMNS. */
export const PLACE = 'sluice_place';

/**
 * The rows of staging as live will have them, as a query with the columns `needed`, those of ORIGIN_COLUMNS and PLACE:
 * loaded columns from staging; others from the row of live that is changed, or what a new row gets. `over` is the
 * table that stands for staging, quoted, and `place` what PLACE is where that has no `ctid`. Undefined where that cannot be told beforehand: a default that is another
 * for every row. Pure.
 */
export function futureRows(
  facts: RowTableFacts,
  names: RowNames,
  needed: readonly string[],
  over?: string,
  place = 's.ctid',
): string | undefined {
  const { live, staging } = rowObjects(facts.target, names);
  const { constraints, loaded, key, target } = facts;
  const fills = new Map(constraints.fills.map((fill) => [fill.column, fill]));
  const generated = needed.flatMap((name) =>
    fills.get(name)?.generated ? [fills.get(name) as RowFill] : [],
  );
  const plain = new Set([
    ...needed.filter((name) => fills.get(name)?.generated !== true),
    ...generated.flatMap(({ columns }) => columns),
  ]);
  const byName = new Map(facts.live.columns.map((column) => [column.name, column]));
  const isLoaded = new Set(loaded.map(({ name }) => name));
  const others = [...plain].filter((name) => !isLoaded.has(name));
  const adds = inserts(target.mode);
  const news = adds ? others.map((name) => fills.get(name)) : [];
  if (news.some((fill) => fill?.volatile === true)) return undefined;
  const joined = findsByKey(target.mode) && others.length > 0;
  const value = (name: string): string => {
    const column = ident(name);
    if (isLoaded.has(name)) return `s.${column}`;
    const fresh = `(${fills.get(name)?.expression ?? `NULL::${(byName.get(name) as RowColumn).type}`})`;
    if (!findsByKey(target.mode)) return `${fresh} AS ${column}`;
    return adds
      ? `CASE WHEN l.ctid IS NULL THEN ${fresh} ELSE l.${column} END AS ${column}`
      : `l.${column} AS ${column}`;
  };
  const columns = [...plain].map(value).map((each) => `, ${each}`);
  const join = joined ? `${adds ? ' LEFT' : ''} JOIN ${live} l ON ${sameKey(key, 'l', 's')}` : '';
  const rows = `SELECT ${place} AS ${PLACE}, s.sluice_row, s.sluice_line${columns.join('')} FROM ${over ?? staging} s${join}`;
  if (generated.length === 0) return rows;
  const made = generated.map(({ column, expression }) => `, (${expression}) AS ${ident(column)}`);
  // Columns of the table alone, so that the unqualified names of an expression mean nothing else.
  return `SELECT g.*${made.join('')} FROM (${rows}) g`;
}
