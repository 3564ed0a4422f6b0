import type { Database } from '../../core/run.js';
import { qualified } from '../quote.js';
import { columnNames, keyNumbers } from './column-sql.js';

/** The columns of a table's primary key, in the key's order; none where it has no key. */
export async function primaryKey(
  database: Pick<Database, 'query'>,
  table: { readonly schema: string; readonly table: string },
): Promise<readonly string[]> {
  const [key] = await database.query<{ columns: string[] }>(
    `SELECT ${columnNames(keyNumbers('i'), 'i.indrelid')} AS columns FROM pg_index i
     WHERE i.indisprimary AND i.indrelid = to_regclass($1)`,
    [qualified(table.schema, table.table)],
  );
  return key?.columns ?? [];
}
