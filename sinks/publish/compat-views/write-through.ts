import { ident } from '../../../src/db/quote.js';

/**
 * plpgsql for `update` of a view: the columns that the statement has changed are written to the row of the same id, the
 * others stay as they are by then. `columns`: the view's column → the table's; `table` as SQL names it.
 */
export function writeThrough(table: string, columns: Readonly<Record<string, string>>, key = 'id'): string {
  const sets = Object.entries(columns).map(([from, to]) => {
    const [after, before] = [`NEW.${ident(from)}`, `OLD.${ident(from)}`];
    return `${ident(to)} = CASE WHEN ${after} IS DISTINCT FROM ${before} THEN ${after} ELSE t.${ident(to)} END`;
  });
  return `UPDATE ${table} t SET ${sets.join(', ')} WHERE t.${ident(columns[key] ?? key)} = OLD.${ident(key)};
  IF NOT FOUND THEN RETURN NULL; END IF;`;
}
