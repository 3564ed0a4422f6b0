import { columnErrors } from '../core/errors/catalogue/columns.js';
import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { nearest } from '../core/errors/nearest.js';
import { formatList } from '../core/list.js';
import { again, type NextStep, type Suggestion } from '../core/next.js';
import { findsByKey } from '../core/publish-mode.js';
import type { MatchedTable, MatchOptions } from './match-options.js';

/** The command with `close` in the key, where `wrong` stood. */
export function keyInstead(key: readonly string[], wrong: string, close: string): Suggestion {
  const names = key.map((name) => (name === wrong ? close : name));
  return again({ flags: { key: formatList(names) } }, { lead: `did you mean ${close}?` });
}

/**
 * Throws a usage error where `pairs` (the file's columns, each with the table's that it fills) leaves out what must be filled: `key_not_filled` (merge, sync and patch find
 * rows by their key), `unfilled_columns` (replace would lose a column's contents), `missing_column` (NOT NULL
 * without a default).
 */
export function assertFilled(
  input: string,
  pairs: ReadonlyMap<string, string>,
  table: MatchedTable,
  options: MatchOptions,
): void {
  const { mode, key = [], omit = [], open = false } = options;
  const filled = [...pairs.values()];
  const lacks = open ? `the first rows of ${input} have no column` : `${input} has no column`;
  // What the first rows of JSON lack, others may have.
  const later = (columns: readonly string[]): NextStep[] =>
    open
      ? [
          again(
            { flags: { columns: formatList([...pairs.keys(), ...columns]) } },
            { lead: `if rows further down have ${columns.length === 1 ? 'it' : 'them'}` },
          ),
        ]
      : [];
  const own = table.columns.map(({ name }) => name);
  const unknown = key.find((name) => !own.includes(name));
  if (unknown !== undefined) {
    const close = nearest(unknown, own);
    throw fillingErrors.no_such_column.byFlag({
      flag: '--key',
      table: table.name,
      column: unknown,
      columns: own,
      corrected: close === undefined ? undefined : keyInstead(key, unknown, close),
    });
  }
  const keyless = findsByKey(mode) ? key.find((name) => !filled.includes(name)) : undefined;
  if (keyless !== undefined)
    throw fillingErrors.key_not_filled({
      lacks,
      table: table.name,
      column: keyless,
      first: later([keyless]),
    });
  if (mode === 'patch') return;
  const left = table.columns.filter(
    (column) => column.generated === undefined && !filled.includes(column.name),
  );
  const lost = left.filter(({ name }) => !omit.includes(name)).map(({ name }) => name);
  if (mode === 'replace' && lost.length > 0)
    throw fillingErrors.unfilled_columns({
      lacks,
      table: table.name,
      columns: lost,
      omit,
      first: later(lost),
    });
  const needed = left.filter(
    (column) => column.notNull && !column.hasDefault && column.identity === undefined,
  );
  if (needed.length > 0)
    throw columnErrors.missing_column.unfilled({
      lacks,
      table: table.name,
      columns: needed.map(({ name }) => name),
      first: later(needed.map(({ name }) => name)),
    });
}
