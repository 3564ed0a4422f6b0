import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { csvErrors } from '../../core/errors/catalogue/csv.js';
import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { nearest } from '../../core/errors/nearest.js';

export interface HeaderOptions {
  /**
   * With a header: the columns that must be there (after `map`); others are read as well. Without one:
   * the names of the fields, in order.
   */
  readonly columns?: readonly string[];
  /** The names of the fields in their order, in place of those in the header, which is not looked at. */
  readonly names?: readonly string[];
  /**
   * Renames columns: `{ 'name in the file': 'name in the rows' }`, by name or by position (`#3`); or a function
   * that gives this once the header is read, which is also how to learn the header of an input that can be read
   * only once. It is told what the columns are called (see `callColumns`) and what the header has.
   */
  readonly map?:
    | Readonly<Record<string, string>>
    | ((called: readonly string[], header: readonly string[]) => Readonly<Record<string, string>>);
}

/**
 * What the columns of a header are called: by their names; where a cell is empty, or has a name that another has
 * too, by the position: `#3` is the third. Throws refused `empty_column_name`, `duplicate_column` where another
 * column is really named so.
 */
export function callColumns(header: readonly string[], input: string): string[] {
  const times = new Map<string, number>();
  for (const name of header) times.set(name, (times.get(name) ?? 0) + 1);
  return header.map((name, i) => {
    if (name !== '' && times.get(name) === 1) return name;
    const position = `#${i + 1}`;
    if (!times.has(position)) return position;
    throw name === ''
      ? csvErrors.empty_column_name({ input, at: i + 1, position, header: list(header) })
      : duplicate(header, name, input);
  });
}

/** The column among `called` that `wanted` means: the one of that name, else, where it is `#3`, the third. */
export function columnMeant(called: readonly string[], wanted: string): string | undefined {
  if (called.includes(wanted)) return wanted;
  const position = /^#([1-9]\d*)$/.exec(wanted)?.[1];
  return position === undefined ? undefined : called[Number(position) - 1];
}

/**
 * The names of the rows' columns for the `header` of the file `input`. A column without a name is called by its
 * position (`#3`) unless `map` gives it one.
 * Throws refused `duplicate_column`, `empty_column_name`; usage `missing_column`, `unknown_column`.
 */
export function resolveHeader(header: readonly string[], options: HeaderOptions, input: string): string[] {
  const cells = options.names ?? header;
  const names = callColumns(cells, input);
  const byFunction = typeof options.map === 'function';
  const given = typeof options.map === 'function' ? options.map(names, cells) : (options.map ?? {});
  const map = new Map<string, string>();
  for (const [from, to] of Object.entries(given)) {
    const column = columnMeant(names, from);
    if (column === undefined) {
      throw columnErrors.unknown_column.inFile({ input, ...missing(from, names) });
    }
    map.set(column, to);
  }
  // Whoever is asked by a function has seen how they are called.
  const twice = byFunction
    ? undefined
    : names.find((name, i) => name !== cells[i] && cells[i] !== '' && !map.has(name));
  if (twice !== undefined) throw duplicate(cells, cells[names.indexOf(twice)] as string, input);
  const columns = names.map((name) => map.get(name) ?? name);
  const resulting = new Set<string>();
  for (const name of columns) {
    if (resulting.has(name)) throw twoOfOneName(columns, name, input);
    resulting.add(name);
  }
  for (const wanted of options.columns ?? []) {
    if (resulting.has(wanted)) continue;
    throw columnErrors.missing_column.inFile({ input, ...missing(wanted, names) });
  }
  return columns;
}

/** The columns of a file without a header. Throws usage `no_columns`, refused `duplicate_column`. */
export function givenColumns(options: HeaderOptions, input: string): string[] {
  const names = options.names ?? options.columns;
  if (names === undefined || names.length === 0) {
    throw headerErrors.no_columns.notGiven({ input });
  }
  return resolveHeader(names, options.map === undefined ? {} : { map: options.map }, input);
}

const places = (names: readonly string[], name: string) => {
  const first = names.indexOf(name);
  return [first + 1, names.indexOf(name, first + 1) + 1] as const;
};

/** Two columns have one name in the file. */
function duplicate(header: readonly string[], name: string, input: string) {
  const [first, second] = places(header, name);
  return headerErrors.duplicate_column.inHeader({ input, name, first, second });
}

/** Two columns would have one name in the rows. */
function twoOfOneName(columns: readonly string[], name: string, input: string) {
  const [first, second] = places(columns, name);
  return headerErrors.duplicate_column.byMap({ input, name, first, second });
}

function missing(wanted: string, names: readonly string[]) {
  return { wanted, meant: nearest(wanted, names), columns: list(names) };
}

const list = (names: readonly string[]) =>
  names.length <= 50 ? names.join(', ') : `${names.slice(0, 50).join(', ')}, … (${names.length} in all)`;
