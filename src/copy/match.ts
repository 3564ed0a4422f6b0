import { nearest, usage } from '../core/errors.js';
import type { MatchedTable, MatchOptions } from './match-options.js';
import { assertFilled } from './unfilled.js';

/** A command that would be longer is left to be typed. */
const SPELT = 20;

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
 * `unknown_column`, `no_such_column`, `extra_columns`, `column_twice`, `generated_column`, `no_columns`, and
 * what `assertFilled` throws.
 */
export function matchColumns(
  input: string,
  names: readonly string[],
  table: MatchedTable,
  options: MatchOptions,
): Matching {
  const { map = {}, skip = [], omit = [] } = options;
  const own = table.columns.map((column) => column.name);
  for (const [flag, wanted] of [
    ...Object.keys(map).map((n) => ['--map', n]),
    ...(options.open === true ? [] : skip.map((n) => ['--skip-columns', n])),
  ] as const)
    if (!names.includes(wanted as string)) throw notInFile(flag as string, wanted as string, input, names);
  for (const [flag, wanted] of [
    ...Object.values(map).map((n) => ['--map', n]),
    ...omit.map((n) => ['--omit', n]),
  ] as const)
    if (!own.includes(wanted as string)) throw notInTable(flag as string, wanted as string, table.name, own);

  const given = names.filter((name) => !skip.includes(name));
  const pairs = new Map<string, string>();
  const taken = new Set<string>(Object.values(map));
  for (const name of given) {
    const to = Object.hasOwn(map, name) ? (map[name] as string) : own.includes(name) ? name : undefined;
    if (to !== undefined) taken.add(to);
  }
  const extra: string[] = [];
  for (const name of given) {
    const to = Object.hasOwn(map, name)
      ? (map[name] as string)
      : own.includes(name)
        ? name
        : onlyOne(own.filter((each) => !taken.has(each) && each.toLowerCase() === name.trim().toLowerCase()));
    if (to === undefined) extra.push(name);
    else pairs.set(name, to);
  }
  if (extra.length > 0) throw extraColumns(input, names, extra, table, [...pairs.values()], options);
  assertOnce(input, pairs, table.name);
  const filled = [...pairs.values()];
  if (filled.length === 0)
    throw usage('no_columns', `no column of ${input} is loaded into ${table.name}`, {
      table: table.name,
      next: 'leave some of --skip-columns away',
    });
  for (const [from, to] of pairs) {
    const column = table.columns.find((each) => each.name === to);
    if (column?.generated === undefined) continue;
    throw usage('generated_column', `${table.name}.${to} is computed by the database and cannot be filled`, {
      column: from,
      next: `leave it out: --skip-columns ${[...skip, from].join(',')}`,
    });
  }
  const both = omit.find((name) => filled.includes(name));
  if (both !== undefined)
    throw usage('column_twice', `--omit ${both}: the file has a column for it`, {
      next: [`leave --omit ${both} away`, `or do not load it: --skip-columns ${both}`],
    });
  assertFilled(input, filled, table, options);
  return { columns: filled, pairs, skipped: skip };
}

function assertOnce(input: string, pairs: ReadonlyMap<string, string>, table: string): void {
  const before = new Map<string, string>();
  for (const [from, to] of pairs) {
    const other = before.get(to);
    if (other !== undefined)
      throw usage('column_twice', `${input}: both "${other}" and "${from}" would fill ${table}.${to}`, {
        column: to,
        next: [`--skip-columns ${from}`, `or another column for one of them: --map "${from}=…"`],
      });
    before.set(to, from);
  }
}

function extraColumns(
  input: string,
  names: readonly string[],
  extra: readonly string[],
  table: MatchedTable,
  filled: readonly string[],
  options: MatchOptions,
) {
  const free = table.columns.map(({ name }) => name).filter((name) => !filled.includes(name));
  const meant = extra.map((name) => [name, nearest(name, free)] as const);
  const delimiter = names.length === 1 ? likelyDelimiter(names[0] as string) : undefined;
  return usage(
    'extra_columns',
    extra.length === 1
      ? `${input} has a column "${extra[0]}" that ${table.name} lacks`
      : `${input} has ${extra.length} columns that ${table.name} lacks`,
    {
      table: table.name,
      details: [
        ...meant
          .slice(0, 20)
          .map(([name, close]) => `"${name}"${close === undefined ? '' : `: did you mean ${close}?`}`),
        ...(meant.length > 20 ? [`… and ${meant.length - 20} more`] : []),
        `${table.name} has: ${table.columns.map(({ name }) => name).join(', ')}`,
      ],
      state: 'nothing was written',
      next:
        delimiter !== undefined && options.delimiter === undefined
          ? `the header is one column: is the delimiter another one? --delimiter ${delimiter}`
          : [
              ...meant
                .flatMap(([name, close]) => (close === undefined ? [] : [`--map "${name}=${close}"`]))
                .slice(0, 5),
              ...(meant.every(([, close]) => close === undefined)
                ? [`--map "${extra[0]}=<column of the table>"`]
                : []),
              extra.length > SPELT
                ? 'or leave out what is not wanted: --skip-columns a,b,c'
                : `or leave out what is not wanted: --skip-columns ${[...(options.skip ?? []), ...extra].join(',')}`,
              ...(options.headerless === true ? [] : ['or, if the first line is no header: --columns a,b,c']),
            ],
    },
  );
}

/** What seems to separate the names in a header that was read as one; as the command line writes it. */
function likelyDelimiter(header: string): string | undefined {
  const found = [';', '\t', '|', ','].find((character) => header.includes(character));
  return found === '\t' ? 'tab' : found === undefined ? undefined : `'${found}'`;
}

function notInFile(flag: string, wanted: string, input: string, names: readonly string[]) {
  const close = nearest(wanted, names);
  return usage('unknown_column', `${flag}: ${input} has no column "${wanted}"`, {
    column: wanted,
    details: [`its columns: ${names.join(', ')}`],
    next: close === undefined ? 'name one of its columns' : `did you mean "${close}"?`,
  });
}

function notInTable(flag: string, wanted: string, table: string, own: readonly string[]) {
  const close = nearest(wanted, own);
  return usage('no_such_column', `${flag}: ${table} has no column "${wanted}"`, {
    table,
    column: wanted,
    details: [`its columns: ${own.join(', ')}`],
    next: close === undefined ? 'name one of its columns' : `did you mean "${close}"?`,
  });
}

const onlyOne = (names: readonly string[]) => (names.length === 1 ? names[0] : undefined);
