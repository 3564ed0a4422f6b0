import type { Database } from '../../core/run.js';
import { qualified } from '../quote.js';

/** The columns of a table's primary key, in the key's order; none where it has no key. */
export async function primaryKey(
  database: Database,
  table: { readonly schema: string; readonly table: string },
): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indisprimary AND i.indrelid = to_regclass($1) ORDER BY array_position(i.indkey::int2[], a.attnum)`,
    [qualified(table.schema, table.table)],
  );
  return rows.map((row) => row.name);
}
