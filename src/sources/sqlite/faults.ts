import { shellWord } from '../../core/command.js';
import { failed, usage } from '../../core/errors/author.js';
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
  const facts = { input: path, cause: error };
  const where = name === undefined ? path : `${name} (${path})`;
  const [, table] = /^no such table: (?:main\.)?(.+)$/.exec(said) ?? [];
  if (table !== undefined) {
    const names = ask(
      database,
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name",
    );
    const meant = nearest(table, names);
    return usage('no_such_table', `${where}: there is no table ${table} in it`, {
      ...facts,
      table,
      details: [names.length === 0 ? 'it has no tables at all' : `it has: ${listed(names)}`],
      next:
        meant === undefined
          ? 'is it the right file? an application may use another one than its configuration seems to say'
          : `did you mean ${meant}?`,
    });
  }
  const [, column] = /^no such column: (.+)$/.exec(said) ?? [];
  if (column !== undefined) {
    const names = ask(
      database,
      "SELECT DISTINCT c.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type IN ('table', 'view') ORDER BY 1",
    );
    const meant = nearest(column.slice(column.lastIndexOf('.') + 1), names);
    return usage('unknown_column', `${where}: there is no column ${column}`, {
      ...facts,
      column,
      next: meant === undefined ? 'check the query against the tables' : `did you mean "${meant}"?`,
    });
  }
  if (/malformed|file is not a database|disk I\/O error/.test(said))
    return failed('corrupt_database', `${where} is damaged: ${said}`, {
      ...facts,
      state: 'nothing was published; the original was only read',
      next: [
        `see how far it goes: sqlite3 ${shellWord(path)} "PRAGMA integrity_check"`,
        `save what can be saved: sqlite3 ${shellWord(path)} .recover | sqlite3 recovered.db   (then name recovered.db)`,
        'or go back to its last good backup',
      ],
    });
  if (/out of memory|string or blob too big/.test(said))
    return failed('sqlite_memory', `${where}: ${said}`, {
      ...facts,
      next: 'SQLite sorts in memory here: leave ORDER BY out, or order by an indexed column',
    });
  return usage('query_refused', `${where}: ${said}`, facts);
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
