import type { Flags } from '../core/command.js';
import { headerErrors } from '../core/errors/catalogue/headers.js';
import { nearest } from '../core/errors/nearest.js';
import type { SluiceError } from '../core/errors/sluice-error.js';
import { formatList } from '../core/list.js';
import { again, type NextStep } from '../core/next.js';
import { withRest } from '../core/plural.js';
import { likelyDelimiter } from '../sources/csv/likely-delimiter.js';
import type { MatchedTable, MatchOptions } from './match-options.js';

/** A command that would be longer is left to be typed. */
const SPELT = 20;

/** Columns of a file for which the table has none. */
export interface Extra {
  readonly input: string;
  /** What all columns of the file are called, those among `extra` too. */
  readonly names: readonly string[];
  readonly extra: readonly string[];
  readonly table: MatchedTable;
  /** Columns of the table that others fill. */
  readonly filled: readonly string[];
  readonly options: MatchOptions;
}

/** So many columns that the table lacks are told one by one. */
const MOST_MEANT = 20;

/** A column that the table lacks, and that of the table which seems to be meant. */
interface Meant {
  readonly name: string;
  /** It has no name of its own, and is called by its position. */
  readonly unnamed: boolean;
  readonly close: string | undefined;
}

/**
 * The usage error that says what to do with columns that the table lacks: `extra_columns`, `unnamed_column`
 * where those have no name in the header, `duplicate_column` where they share one.
 */
export function extraColumns(found: Extra): SluiceError {
  const { input, names, extra, table, filled, options } = found;
  const cells = new Map(names.map((name, at) => [name, options.cells?.[at]]));
  const cellOf = (name: string) => cells.get(name) ?? name;
  const shared = extra.find((name) => cellOf(name) !== '' && cellOf(name) !== name);
  if (shared !== undefined) return sharedName(found, cellOf(shared));
  const taken = new Set(filled);
  const free = table.columns.map(({ name }) => name).filter((name) => !taken.has(name));
  const meant = extra.map((name, at): Meant => {
    const unnamed = cellOf(name) === '';
    // Looking costs the product of both headers, and nobody corrects more by a flag.
    const close = unnamed ? onlyOne(free) : at < MOST_MEANT ? nearest(name, free) : undefined;
    return { name, unnamed, close };
  });
  const unnamed = meant.every((each) => each.unnamed);
  const likely = likelyDelimiter(names);
  const delimiter = likely === '\t' ? 'tab' : likely;
  const known = {
    details: [
      ...withRest(meant.slice(0, MOST_MEANT).map(detail), meant.length),
      `${table.name} has: ${table.columns.map(({ name }) => name).join(', ')}`,
    ],
  };
  const next =
    delimiter !== undefined && options.delimiter === undefined
      ? again({ flags: { delimiter } }, { lead: 'the header is one column: is the delimiter another one?' })
      : extraNext(meant, found);
  const of = { input, table: table.name, next };
  const { unnamed_column, extra_columns } = headerErrors;
  if (!unnamed) {
    const what = extra.length === 1 ? `a column "${extra[0]}"` : `${extra.length} columns`;
    return extra_columns({ ...of, what }, known);
  }
  return extra.length === 1
    ? unnamed_column.one({ ...of, at: (extra[0] as string).slice(1) }, known)
    : unnamed_column.several({ ...of, count: extra.length }, known);
}

function detail({ name, unnamed, close }: Meant): string {
  const asks = close === undefined ? '' : `: did you mean ${close}?`;
  return unnamed ? `column ${name.slice(1)} has no name, and is called ${name}${asks}` : `"${name}"${asks}`;
}

/** What can be done with columns that the table lacks: load what seems meant, and leave out the rest; or all of it. */
function extraNext(
  meant: readonly Meant[],
  { names, table, options: { skip = [], headerless = false, open = false } }: Extra,
): NextStep[] {
  const left = (names: readonly string[]): Flags =>
    names.length === 0 ? {} : { skipColumns: formatList([...skip, ...names]) };
  // Of two names for one column only one can be meant.
  const taken = new Set<string>();
  const mapped = meant.filter(({ close }) => {
    if (close === undefined || taken.has(close)) return false;
    taken.add(close);
    return true;
  });
  const map = mapped.map(({ name, close }) => `${name}=${close}`);
  const others = meant.filter((each) => !mapped.includes(each)).map(({ name }) => name);
  const some = meant.some(({ unnamed }) => unnamed);
  const own = table.columns.filter(({ generated }) => generated === undefined).map(({ name }) => name);
  // A line in which names are missing is a header all the same, and JSON has none.
  const mayBeRow = !headerless && !some && !open;
  if (mayBeRow && meant.length === names.length && names.length <= own.length && mapped.length === 0)
    return [
      again(
        { flags: { columns: formatList(own.slice(0, names.length)) } },
        { lead: 'no name fits: if the first line is no header, name the columns in their order, such as' },
      ),
      'or, if it is one, say which column of the table each is (--map)',
    ];
  return [
    ...(map.length === 0
      ? [
          `if one of them is another column of the table, say which (--map${some ? `, by its position: '${meant[0]?.name}=…'` : ''})`,
        ]
      : [again({ flags: { map, ...left(others) } }, { lead: 'if that is what is meant' })]),
    meant.length > SPELT
      ? 'or leave out what is not wanted (--skip-columns)'
      : again({ flags: left(meant.map(({ name }) => name)) }, { lead: 'or leave out what the table lacks' }),
    ...(mayBeRow ? ['or, if the first line is no header, name the columns in their order (--columns)'] : []),
  ];
}

/** Columns of the name `cell` in the header: which of them is meant only the author can say. */
function sharedName({ input, names, table, options }: Extra, cell: string): SluiceError {
  const all = names.filter((_, i) => options.cells?.[i] === cell);
  const { skip = [] } = options;
  const to = table.columns.find(({ name }) => name.toLowerCase() === cell.trim().toLowerCase())?.name;
  return headerErrors.duplicate_column.toChoose({ input, table: table.name, cell, all, to, skip });
}

const onlyOne = (names: readonly string[]) => (names.length === 1 ? names[0] : undefined);
