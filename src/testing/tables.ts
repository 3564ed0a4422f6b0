import type pg from 'pg';
import { jsonText } from '../core/json/write.js';
import type { Row } from '../core/row.js';
import { ident } from '../db/quote.js';

/**
 * The tables of a test's database: a script of SQL; or, by table, what stands in the brackets of its CREATE TABLE, or its
 * columns with their types.
 */
export type TablesGiven = string | Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** Rows that tables hold before the run, by table. Columns that a row does not have are NULL. */
export type SeedRows = Readonly<Record<string, readonly Row[]>>;

/**
 * Makes the tables and fills them, in the order given. Throws what the server says of the SQL.
 * @internal
 */
export async function makeTables(client: pg.Client, tables: TablesGiven, rows: SeedRows): Promise<void> {
  if (typeof tables === 'string') await client.query(tables);
  else
    for (const [name, of] of Object.entries(tables)) {
      const columns =
        typeof of === 'string'
          ? of
          : Object.entries(of)
              .map(([column, type]) => `${ident(column)} ${type}`)
              .join(', ');
      await client.query(`CREATE TABLE ${named(name)} (${columns})`);
    }
  for (const [name, of] of Object.entries(rows)) {
    const columns = [...new Set(of.flatMap((row) => Object.keys(row)))].map(ident).join(', ');
    if (of.length > 0)
      await client.query(
        `INSERT INTO ${named(name)} (${columns}) SELECT ${columns} FROM json_populate_recordset(NULL::${named(name)}, $1::json)`,
        [jsonText(of)],
      );
  }
}

/**
 * `table` or `schema.table`, as SQL.
 * @internal
 */
export const named = (table: string) => table.split('.').map(ident).join('.');
