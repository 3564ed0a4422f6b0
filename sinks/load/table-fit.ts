import type { Row } from '../../src/core/row.js';
import type { Rejection, Run } from '../../src/core/run.js';
import { readColumns } from '../../src/db/catalog/columns.js';
import { ourDatabase } from '../../src/db/users-path.js';
import { CopyBuffer } from './encode/copy-buffer.js';
import { copyEncoder } from './encode/encoder.js';

/** What a table's columns take. */
export interface TableFit {
  /** Those that take no NULL. */
  readonly notNull: ReadonlySet<string>;
  /** Why the load would reject a row for the type of a column, the first such; undefined where it would send it. */
  fault(row: Row): Rejection | undefined;
}

/**
 * Asks, before a row is loaded, what the load asks of it: for a stage that must know which rows stay out, since others
 * refer to them. `table` as SQL names it; `columns`: those that the rows fill, others are not looked at. What only
 * the server can judge is not found. Throws the server's error where there is no such table.
 */
export async function tableFit(run: Run, table: string, columns: readonly string[]): Promise<TableFit> {
  const database = ourDatabase(run.database);
  const [{ schema, name } = { schema: '', name: table }] = await database.query<{
    schema: string;
    name: string;
  }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::pg_catalog.regclass`,
    [table],
  );
  const all = await readColumns(database, schema, name);
  const encoder = copyEncoder(
    all.filter((column) => columns.includes(column.name) && column.generated === undefined),
  );
  const buffer = new CopyBuffer(1 << 16);
  const rows: [Row] = [{}];
  let found: Rejection | undefined;
  const reject = (_: Row, why: Rejection) => {
    found = why;
  };
  return {
    notNull: new Set(all.filter((column) => column.notNull).map((column) => column.name)),
    fault(row) {
      found = undefined;
      rows[0] = row;
      buffer.clear();
      encoder.encode(rows, buffer, reject);
      return found;
    },
  };
}
