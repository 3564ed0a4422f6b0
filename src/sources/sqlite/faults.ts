import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { queryErrors } from '../../core/errors/catalogue/query.js';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import { tableErrors } from '../../core/errors/catalogue/tables.js';
import { nearest } from '../../core/errors/nearest.js';
import { SluiceError } from '../../core/errors/sluice-error.js';

/** What the making of an error needs of the file. */
interface Asked {
  readonly path: string;
  readonly database: { all(sql: string): unknown[] };
}

/** What SQLite says, with what to do about it: a missing table or column with the nearest there is, damage. */
export function sqliteError(error: unknown, { path, database }: Asked, name?: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const said = error instanceof Error ? error.message : String(error);
  const where = name === undefined ? path : `${name} (${path})`;
  const [, table] = /^no such table: (?:main\.)?(.+)$/.exec(said) ?? [];
  if (table !== undefined) {
    const names = ask(
      database,
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
    );
    return tableErrors.no_such_table.inSqlite(
      { where, path, table, meant: nearest(table, names), tables: listed(names) },
      { cause: error },
    );
  }
  const [, column] = /^no such column: (.+)$/.exec(said) ?? [];
  if (column !== undefined) {
    const names = ask(
      database,
      "SELECT DISTINCT c.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type IN ('table', 'view') ORDER BY 1",
    );
    const meant = nearest(column.slice(column.lastIndexOf('.') + 1), names);
    return columnErrors.unknown_column.saysSqlite({ where, path, column, meant }, { cause: error });
  }
  if (/malformed|file is not a database|disk I\/O error/.test(said))
    return sqliteErrors.corrupt_database({ where, path, why: said }, { cause: error });
  if (/out of memory|string or blob too big/.test(said))
    return sqliteErrors.sqlite_memory({ where, path, why: said }, { cause: error });
  return queryErrors.query_refused.sqlite({ where, path, why: said }, { cause: error });
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown}, … (${names.length} in all)` : shown;
}

/** Names out of the schema; none where the file does not even give those. */
function ask(database: Asked['database'], sql: string): string[] {
  try {
    return (database.all(sql) as { name: string }[]).map((row) => row.name);
  } catch {
    return [];
  }
}
