import { nearest, usage } from '../core/errors.js';
import { formatList } from '../core/list.js';
import { again, type Suggestion } from '../core/next.js';
import type { MatchedTable, MatchOptions } from './match-options.js';

/** The command with `close` in the key, where `wrong` stood. */
export function keyInstead(key: readonly string[], wrong: string, close: string): Suggestion {
  const names = key.map((name) => (name === wrong ? close : name));
  return again({ flags: { key: formatList(names) } }, { lead: `did you mean ${close}?` });
}

/**
 * Throws a usage error where `filled` leaves out what must be filled: `key_not_filled` (merge and patch find
 * rows by their key), `unfilled_columns` (replace would lose a column's contents), `missing_column` (NOT NULL
 * without a default).
 */
export function assertFilled(
  input: string,
  filled: readonly string[],
  table: MatchedTable,
  options: MatchOptions,
): void {
  const { mode, key = [], omit = [] } = options;
  const own = table.columns.map(({ name }) => name);
  const unknown = key.find((name) => !own.includes(name));
  if (unknown !== undefined) {
    const close = nearest(unknown, own);
    throw usage('no_such_column', `--key: ${table.name} has no column "${unknown}"`, {
      table: table.name,
      column: unknown,
      details: [`its columns: ${own.join(', ')}`],
      next: close === undefined ? 'name one of its columns' : keyInstead(key, unknown, close),
    });
  }
  const keyless =
    mode === 'append' || mode === 'replace' ? undefined : key.find((name) => !filled.includes(name));
  if (keyless !== undefined)
    throw usage(
      'key_not_filled',
      `${input} has no column for ${table.name}.${keyless}, by which rows are found`,
      {
        table: table.name,
        column: keyless,
        next: [`say which column of the file it is (--map), or name another key (--key)`],
      },
    );
  if (mode === 'patch') return;
  const left = table.columns.filter(
    (column) => column.generated === undefined && !filled.includes(column.name),
  );
  const lost = left.filter(({ name }) => !omit.includes(name)).map(({ name }) => name);
  if (mode === 'replace' && lost.length > 0)
    throw usage(
      'unfilled_columns',
      `${input} has no column for ${lost.map((name) => `${table.name}.${name}`).join(', ')}: replacing the table would lose what is in there`,
      {
        table: table.name,
        state: 'nothing was written',
        next: [
          again(
            { flags: { omit: formatList([...omit, ...lost]) } },
            { note: 'the new rows get the defaults' },
          ),
          `or, if the file has ${lost[0]} under another name, say which (--map)`,
          again({ drop: ['omit'], flags: { mode: 'append' } }, { lead: 'or keep the rows that are there' }),
        ],
      },
    );
  const needed = left.filter(
    (column) => column.notNull && !column.hasDefault && column.identity === undefined,
  );
  if (needed.length > 0)
    throw usage(
      'missing_column',
      `${input} has no column for ${needed.map(({ name }) => `${table.name}.${name}`).join(', ')}, which may not be NULL and has no default`,
      {
        table: table.name,
        state: 'nothing was written',
        next: [
          `if the file has ${needed[0]?.name} under another name, say which (--map)`,
          'or give the column a default in the database',
        ],
      },
    );
}
