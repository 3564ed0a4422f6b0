import { nearest, usage } from '../core/errors.js';
import type { MatchedTable, MatchOptions } from './match-options.js';

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
      next: close === undefined ? 'name one of its columns' : `did you mean ${close}?`,
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
        next: [`--map <column of the file>=${keyless}`, 'or another key: --key a,b'],
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
          `--omit ${[...omit, ...lost].join(',')}   (the new rows get the defaults)`,
          `or, if the file has it under another name: --map <column of the file>=${lost[0]}`,
          'or keep the rows that are there: --mode append',
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
          `if the file has it under another name: --map <column of the file>=${needed[0]?.name}`,
          'or give the column a default in the database',
        ],
      },
    );
}
