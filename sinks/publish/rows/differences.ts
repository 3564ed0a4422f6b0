import { findsByKey } from '../../../src/core/publish-mode.js';
import type { Database } from '../../../src/core/run.js';
import { type ColumnFacts, readColumns } from '../../../src/db/catalog/columns.js';
import { differs, sameKey } from './sql.js';
import { deletesGone, IMAGE_XMIN, type RowNames, type RowTableFacts, rowObjects } from './target.js';

/**
 * Whether the publish of a table would change some row: for an append, whether anything is staged; else whether a staged
 * row is not in live just so, or, of a sync, a row of live is not staged. Pure; a query with one column, `changes`.
 */
export function changesSql(facts: RowTableFacts, names: RowNames): string {
  const { live, staging } = rowObjects(facts.target, names);
  const partner = `SELECT FROM ${live} l WHERE ${sameKey(facts.key, 'l', 's')}`;
  const equal = facts.values.length === 0 ? '' : ` AND NOT (${differs(facts.values, 'l', 's')})`;
  const changes = !findsByKey(facts.target.mode)
    ? `EXISTS (SELECT FROM ${staging})`
    : `EXISTS (SELECT FROM ${staging} s WHERE NOT EXISTS (${partner}${equal}))`;
  const gone = deletesGone(facts.target) ? ` OR EXISTS (SELECT ${goneFrom(facts, names)})` : '';
  return `SELECT ${changes}${gone} AS changes`;
}

/** The rows of live whose key staging lacks, as FROM and WHERE, live being `l`. Pure. */
export function goneFrom(facts: RowTableFacts, names: RowNames): string {
  const { live, staging } = rowObjects(facts.target, names);
  return `FROM ${live} l WHERE NOT EXISTS (SELECT FROM ${staging} s WHERE ${sameKey(facts.key, 'l', 's')})`;
}

/**
 * How live's columns differ from those of the images that undo keeps of its rows: staging has only the loaded ones. None
 * where there are no images.
 */
export async function imageDifferences(
  database: Database,
  live: { readonly schema: string; readonly table: string },
  names: RowNames,
): Promise<string[]> {
  const { before } = rowObjects(live, names);
  const [found] = await database.query<{ schema: string; table: string }>(
    `SELECT n.nspname AS schema, c.relname AS "table" FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)`,
    [before],
  );
  if (found === undefined) return [];
  const now = (await readColumns(database, live.schema, live.table)).filter(
    ({ generated }) => generated === undefined,
  );
  const images = await readColumns(database, found.schema, found.table);
  return columnDifferences(
    now,
    images.filter(({ name }) => name !== IMAGE_XMIN),
  );
}

function columnDifferences(live: readonly ColumnFacts[], staged: readonly ColumnFacts[]): string[] {
  const names = (columns: readonly ColumnFacts[]) => columns.map(({ name }) => name).join(', ');
  return [
    ...(names(live) === names(staged)
      ? []
      : [`columns: live has (${names(live)}), staging (${names(staged)})`]),
    ...live.flatMap(({ name, type }) => {
      const is = staged.find((column) => column.name === name);
      return is === undefined || is.type === type
        ? []
        : [`column ${name}: type is ${type} in live, ${is.type} in staging`];
    }),
  ];
}
