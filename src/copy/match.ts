import type { Change } from '../core/command.js';
import { columnErrors } from '../core/errors/catalogue/columns.js';
import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { headerErrors } from '../core/errors/catalogue/headers.js';
import { nearest } from '../core/errors/nearest.js';
import { formatList } from '../core/list.js';
import { again, type Suggestion } from '../core/next.js';
import { columnMeant } from '../sources/csv/header.js';
import { extraColumns } from './extra-columns.js';
import type { MatchedTable, MatchOptions } from './match-options.js';
import { assertFilled } from './unfilled.js';

/** Which column of the file fills which of the table. */
export interface Matching {
  /** Columns of the table that are filled, in the file's order. */
  readonly columns: readonly string[];
  /** Column of the file → column of the table, for each that is loaded. */
  readonly pairs: ReadonlyMap<string, string>;
  readonly skipped: readonly string[];
}

/**
 * Finds the column of `table` for each column of the file `input`: as --map says, else the one of the same
 * name, else the one that differs from it in upper and lower case alone (SQL folds names that are not
 * quoted, so exports write `Id` for `id`). Pure. Throws usage errors that say what to add to the command:
 * `unknown_column`, `no_such_column`, `extra_columns`, `unnamed_column`, `duplicate_column`, `column_twice`, `generated_column`, `no_columns`, and
 * what `assertFilled` throws.
 */
export function matchColumns(
  input: string,
  names: readonly string[],
  table: MatchedTable,
  options: MatchOptions,
): Matching {
  const { omit = [] } = options;
  const own = table.columns.map((column) => column.name);
  const { map, skip } = meantColumns(input, names, options);
  for (const [flag, wanted] of [
    ...Object.values(map).map((n) => ['--map', n]),
    ...omit.map((n) => ['--omit', n]),
  ] as const)
    if (!own.includes(wanted as string))
      throw notInTable(flag as string, wanted as string, table.name, own, options);

  const skipped = new Set(skip);
  const given = names.filter((name) => !skipped.has(name));
  const known = new Set(own);
  const byLetters = new Map<string, string[]>();
  for (const name of own) {
    const letters = name.toLowerCase();
    byLetters.set(letters, [...(byLetters.get(letters) ?? []), name]);
  }
  const pairs = new Map<string, string>();
  const taken = new Set<string>(Object.values(map));
  for (const name of given) {
    const to = Object.hasOwn(map, name) ? (map[name] as string) : known.has(name) ? name : undefined;
    if (to !== undefined) taken.add(to);
  }
  const extra: string[] = [];
  for (const name of given) {
    const to = Object.hasOwn(map, name)
      ? (map[name] as string)
      : known.has(name)
        ? name
        : onlyOne((byLetters.get(name.trim().toLowerCase()) ?? []).filter((each) => !taken.has(each)));
    if (to === undefined) extra.push(name);
    else pairs.set(name, to);
  }
  if (extra.length > 0)
    throw extraColumns({ input, names, extra, table, filled: [...pairs.values()], options });
  assertOnce(input, pairs, table.name, skip);
  const filled = [...pairs.values()];
  if (filled.length === 0) throw headerErrors.no_columns.allSkipped({ input, table: table.name });
  for (const [from, to] of pairs) {
    const column = table.columns.find((each) => each.name === to);
    if (column?.generated === undefined) continue;
    throw fillingErrors.generated_column({ table: table.name, column: to, from, skip });
  }
  const both = omit.find((name) => filled.includes(name));
  if (both !== undefined)
    throw fillingErrors.column_twice.omitted({ column: both, omit, skip, from: fileColumn(pairs, both) });
  assertFilled(input, pairs, table, options);
  return { columns: filled, pairs, skipped: skip };
}

/** What the flags say about columns of a file, as they say it. */
type Said = Pick<MatchOptions, 'map' | 'skip' | 'omit' | 'open'>;

/**
 * What --map and --skip-columns say of the columns `names` of `input`: by their names, else, of a file with a
 * header, by their positions (`#3`). Throws usage `unknown_column`, `column_twice`.
 */
export function meantColumns(
  input: string,
  names: readonly string[],
  said: Said,
): { readonly map: Readonly<Record<string, string>>; readonly skip: readonly string[] } {
  const { map = {}, skip = [], open = false } = said;
  const known = new Set(names);
  const meant = (flag: string, wanted: string) => {
    if (known.has(wanted)) return wanted;
    const column = open ? undefined : columnMeant(names, wanted);
    if (column === undefined) throw notInFile(flag, wanted, input, names, said);
    return column;
  };
  const mapped = new Map<string, string>();
  for (const [wanted, to] of Object.entries(map)) {
    const column = meant('--map', wanted);
    const other = mapped.get(column);
    if (other !== undefined) throw fillingErrors.column_twice.mapped({ column, first: other, second: to });
    mapped.set(column, to);
  }
  return {
    map: Object.fromEntries(mapped),
    skip: open ? skip : skip.map((wanted) => meant('--skip-columns', wanted)),
  };
}

function assertOnce(
  input: string,
  pairs: ReadonlyMap<string, string>,
  table: string,
  skip: readonly string[],
): void {
  const before = new Map<string, string>();
  for (const [from, to] of pairs) {
    const other = before.get(to);
    if (other !== undefined)
      throw fillingErrors.column_twice.filled({ input, first: other, second: from, table, column: to, skip });
    before.set(to, from);
  }
}

function notInFile(flag: string, wanted: string, input: string, names: readonly string[], options: Said) {
  const close = nearest(wanted, names);
  return columnErrors.unknown_column.byFlag({
    flag,
    input,
    wanted,
    columns: names,
    corrected: close === undefined ? undefined : corrected(flag, wanted, close, options),
  });
}

function notInTable(
  flag: string,
  wanted: string,
  table: string,
  own: readonly string[],
  options: MatchOptions,
) {
  const close = nearest(wanted, own);
  return fillingErrors.no_such_column.byFlag({
    flag,
    table,
    column: wanted,
    columns: own,
    corrected: close === undefined ? undefined : corrected(flag, wanted, close, options),
  });
}

/** The command with `close` where one of its flags has `wrong`. */
function corrected(flag: string, wrong: string, close: string, options: Said): Suggestion {
  const right = (name: string) => (name === wrong ? close : name);
  const { map = {}, skip = [], omit = [] } = options;
  const change: Change =
    flag === '--map'
      ? {
          drop: ['map'],
          flags: { map: Object.entries(map).map(([from, to]) => `${right(from)}=${right(to)}`) },
        }
      : flag === '--omit'
        ? { flags: { omit: formatList(omit.map(right)) } }
        : { flags: { skipColumns: formatList(skip.map(right)) } };
  return again(change, { lead: `did you mean "${close}"?` });
}

/** The column of the file that fills `to`. */
const fileColumn = (pairs: ReadonlyMap<string, string>, to: string): string =>
  [...pairs].find(([, filled]) => filled === to)?.[0] ?? to;

const onlyOne = (names: readonly string[]) => (names.length === 1 ? names[0] : undefined);
