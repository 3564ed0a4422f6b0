import { refused, usage } from '../../core/errors/author.js';
import { nearest } from '../../core/errors/nearest.js';
import { again, type Next } from '../../core/next.js';

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
      ? refused(
          'empty_column_name',
          `${input}: column ${i + 1} of the header has no name, and another is named ${position}`,
          { input, line: 1, details: [`the header: ${list(header)}`], next: OTHER_NAMES },
        )
      : duplicate(header, name, input);
  });
}

const OTHER_NAMES = 'give the columns other names than the header does: --columns a,b,c --header';

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
      throw missing(
        'unknown_column',
        from,
        names,
        input,
        `correct the name in map: it has no column ${from}`,
      );
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
    const close = nearest(wanted, names);
    throw missing(
      'missing_column',
      wanted,
      names,
      input,
      close === undefined
        ? `if it is there under another name: call it ${wanted} in the header`
        : again(
            { flags: { map: [`${close}=${wanted}`] } },
            {
              lead: 'if it is there under another name',
              otherwise: `if ${JSON.stringify(close)} is meant: call it ${wanted} in the header`,
            },
          ),
    );
  }
  return columns;
}

/** The columns of a file without a header. Throws usage `no_columns`, refused `duplicate_column`. */
export function givenColumns(options: HeaderOptions, input: string): string[] {
  const names = options.names ?? options.columns;
  if (names === undefined || names.length === 0) {
    throw usage('no_columns', `${input} is to be read without a header, but its columns are not given`, {
      input,
      next: 'name the fields in their order: columns (--columns a,b,c)',
    });
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
  return refused(
    'duplicate_column',
    `${input}: the name ${JSON.stringify(name)} stands twice in the header, columns ${first} and ${second}`,
    {
      input,
      line: 1,
      column: name,
      next: [
        'correct the header so that every column has a name of its own',
        `or name both by their positions: map: { '#${first}': '…', '#${second}': '…' }`,
      ],
    },
  );
}

/** Two columns would have one name in the rows. */
function twoOfOneName(columns: readonly string[], name: string, input: string) {
  const [first, second] = places(columns, name);
  return refused(
    'duplicate_column',
    `${input}: columns ${first} and ${second} would both be called ${JSON.stringify(name)}`,
    { input, line: 1, column: name, next: 'correct map: give one of them another name' },
  );
}

function missing(code: string, wanted: string, names: readonly string[], input: string, next: Next) {
  const close = nearest(wanted, names);
  return usage(
    code,
    `${input} has no column ${JSON.stringify(wanted)}${close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`}`,
    { input, column: wanted, details: [`its columns: ${list(names)}`], next },
  );
}

const list = (names: readonly string[]) =>
  names.length <= 50 ? names.join(', ') : `${names.slice(0, 50).join(', ')}, … (${names.length} in all)`;
