import type { RowTable } from '../../../src/db/catalog/row-tables.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { LISTED, raiseWhen, SQLSTATE } from './refusals.js';

/**
 * A statement that raises where rows of other tables refer to rows of `live` that are about to be deleted,
 * naming each foreign key and how many rows; undefined where no foreign key points at the table.
 * PostgreSQL itself would refuse under NO ACTION and RESTRICT only, and under CASCADE, SET NULL and SET
 * DEFAULT lose or change those rows without a word. `doomed` makes the condition for an alias of `live`;
 * rows of the table itself that refer to a doomed row count only where they stay, which those of `leaves` do not.
 */
export function childrenCheck(
  live: RowTable,
  doomed: (alias: string) => string,
  leaves: (alias: string) => string = doomed,
): string | undefined {
  if (live.children.length === 0) return undefined;
  const parent = qualified(live.schema, live.table);
  const perKey = live.children.map((child) => {
    const joined = child.columns
      .map((column, i) => {
        const parentColumn = ident(child.parentColumns[i] as string);
        return `p.${parentColumn} ${child.operators[i]} c.${ident(column)}`;
      })
      .join(' AND ');
    const stays = child.self ? ` AND NOT (${leaves('c')})` : '';
    const saying = `${child.schema}.${child.table} (${child.constraint}, ON DELETE ${child.onDelete.toUpperCase()})`;
    return `SELECT ${literal(saying)}::text AS child, count(*) AS n FROM ${qualified(child.schema, child.table)} c JOIN ${parent} p ON ${joined} WHERE ${doomed('p')}${stays}`;
  });
  const query = `SELECT CASE WHEN sum(x.n) > 0 THEN json_build_object('table', ${literal(`${live.schema}.${live.table}`)}, 'count', sum(x.n), 'list', (json_agg(x.child || ': ' || x.n || CASE x.n WHEN 1 THEN ' row' ELSE ' rows' END) FILTER (WHERE x.n > 0 AND x.i <= ${LISTED}))) END FROM (SELECT k.child, k.n, row_number() OVER (ORDER BY k.n = 0) AS i FROM (${perKey.join(' UNION ALL ')}) k) x`;
  return raiseWhen(SQLSTATE.childrenWouldGo, 'other rows refer to rows that would be deleted', query);
}
