import { formatList } from '../../list.js';
import { again, type Next } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_WRITTEN } from './state.js';

const quoted = (name: string) => JSON.stringify(name);

/** Columns that share the name `cell` in the header of a file. */
interface SharedName {
  readonly input: string;
  readonly table: string;
  readonly cell: string;
  /** All of them, by their positions: `#2`. */
  readonly all: readonly string[];
  /** The column of the table that one of them is for. */
  readonly to: string | undefined;
  /** What is left out already. */
  readonly skip: readonly string[];
}

/** Which of them is meant only the author can say. */
function oneOfThem({ all, to, skip }: SharedName): Next {
  if (to === undefined)
    return again({ flags: { skipColumns: formatList([...skip, ...all]) } }, { lead: 'leave them out' });
  return all.map((name, i) => {
    const rest = all.filter((each) => each !== name);
    const flags = { map: [`${name}=${to}`], skipColumns: formatList([...skip, ...rest]) };
    return again({ flags }, { lead: `${i === 0 ? '' : 'or '}if column ${name.slice(1)} is meant` });
  });
}

/** A column of the header that a new table needs a name for. */
interface Unnamed {
  readonly input: string;
  /** Its position. */
  readonly at: string;
  /** All such columns, and what is left out already. */
  readonly left: readonly string[];
  readonly skip: readonly string[];
  /** Names for all of them, as --map has them. */
  readonly naming: readonly string[];
}

const byPosition = (left: readonly string[]) => {
  if (!left.every((name) => name.startsWith('#'))) return '';
  return left.length === 1 ? ', by its position' : ', by their positions';
};

const nameThem = ({ left, skip, naming }: Pick<Unnamed, 'left' | 'skip' | 'naming'>): Next => [
  again(
    { flags: { map: naming } },
    { lead: `give ${left.length === 1 ? 'it a name' : 'them names'}${byPosition(left)}` },
  ),
  again(
    { flags: { skipColumns: formatList([...skip, ...left]) } },
    { lead: `or leave ${left.length === 1 ? 'it' : 'them'} out` },
  ),
];

/** A name that no column can have. */
interface Unfit extends Omit<Unnamed, 'at'> {
  readonly cell: string;
  /** `it has 70 bytes, and PostgreSQL allows 63`. */
  readonly why: string;
}

/** Errors of the names that columns have: none, the same, or ones that the table lacks. */
export const headerErrors = topic({
  duplicate_column: {
    query: misuse(({ query, column }: { query: string; column: string }) => ({
      says: `query ${query} has two columns named ${quoted(column)}`,
      input: query,
      column,
      next: 'give one of them another name with AS',
    })),
    sqlite: misuse(({ name, path, column }: { name: string; path: string; column: string }) => ({
      says: `${name} has two columns named ${quoted(column)}`,
      input: path,
      column,
      next: 'give one of them another name with AS',
    })),
    inHeader: refusal(
      ({ input, name, first, second }: { input: string; name: string; first: number; second: number }) => ({
        says: `${input}: the name ${quoted(name)} stands twice in the header, columns ${first} and ${second}`,
        input,
        line: 1,
        column: name,
        state: AS_THE_COMMAND_ENDS,
        next: [
          'correct the header so that every column has a name of its own',
          `or name both by their positions: map: { '#${first}': '…', '#${second}': '…' }`,
        ],
      }),
    ),
    byMap: refusal(
      ({ input, name, first, second }: { input: string; name: string; first: number; second: number }) => ({
        says: `${input}: columns ${first} and ${second} would both be called ${quoted(name)}`,
        input,
        line: 1,
        column: name,
        state: AS_THE_COMMAND_ENDS,
        next: 'correct map: give one of them another name',
      }),
    ),
    toChoose: misuse((shared: SharedName) => ({
      says: `${shared.input}: the name "${shared.cell}" stands ${shared.all.length} times in the header, in columns ${shared.all.map((name) => name.slice(1)).join(', ')}`,
      table: shared.table,
      column: shared.cell,
      state: NOTHING_WRITTEN,
      next: oneOfThem(shared),
    })),
    inNewTable: misuse((unnamed: Unnamed & { cell: string }) => ({
      says: `${unnamed.input}: the name "${unnamed.cell}" stands more than once in the header, in column ${unnamed.at} too`,
      input: unnamed.input,
      line: 1,
      state: NOTHING_WRITTEN,
      next: nameThem(unnamed),
    })),
  },
  bad_name: {
    inHeader: misuse(({ input, at, cell, why, left, skip, naming }: Unfit & { at: string }) => ({
      says: `${input}: column ${at} cannot keep its name in the new table: ${why}`,
      input,
      line: 1,
      column: cell,
      state: NOTHING_WRITTEN,
      next: nameThem({ left, skip, naming }),
    })),
    key: misuse(({ input, cell, why, left, skip, naming }: Unfit) => ({
      says: `${input}: the key ${quoted(cell)} cannot be the name of a column in the new table: ${why}`,
      input,
      column: cell,
      state: NOTHING_WRITTEN,
      next: nameThem({ left, skip, naming }),
    })),
    /** `flag`: what gave the name. */
    given: misuse(({ name, why, flag }: { name: string; why: string; flag: string }) => ({
      says: `${flag}: ${quoted(name)} cannot be a name in PostgreSQL: ${why}`,
      value: name,
      state: NOTHING_WRITTEN,
      next: `give another name (${flag})`,
    })),
  },
  unnamed_column: {
    inNewTable: misuse((unnamed: Unnamed) => ({
      says: `${unnamed.input}: column ${unnamed.at} has no name in the header`,
      input: unnamed.input,
      line: 1,
      state: NOTHING_WRITTEN,
      next: nameThem(unnamed),
    })),
    one: misuse(({ input, at, table, next }: { input: string; at: string; table: string; next: Next }) => ({
      says: `${input}: column ${at} has no name in the header`,
      table,
      state: NOTHING_WRITTEN,
      next,
    })),
    several: misuse(
      ({ input, count, table, next }: { input: string; count: number; table: string; next: Next }) => ({
        says: `${input}: ${count} columns have no name in the header`,
        table,
        state: NOTHING_WRITTEN,
        next,
      }),
    ),
  },
  /** `what`: `a column "a"`, `3 columns`. */
  extra_columns: misuse(
    ({ input, what, table, next }: { input: string; what: string; table: string; next: Next }) => ({
      says: `${input} has ${what} that ${table} lacks`,
      table,
      state: NOTHING_WRITTEN,
      next,
    }),
  ),
  no_columns: {
    notGiven: misuse(({ input }: { input: string }) => ({
      says: `${input} is to be read without a header, but its columns are not given`,
      input,
      next: 'name the fields in their order: columns (--columns a,b,c)',
    })),
    ofQuery: misuse(({ query }: { query: string }) => ({
      says: `query ${query} has no columns`,
      input: query,
      next: 'name columns in its SELECT',
    })),
    withoutRows: misuse(({ input }: { input: string }) => ({
      says: `${input} has no row, and without one its columns are not known`,
      input,
      state: NOTHING_WRITTEN,
      next: 'check the export that wrote it, or name the keys that its rows would have (--columns)',
    })),
    allSkipped: misuse(({ input, table }: { input: string; table: string }) => ({
      says: `no column of ${input} is loaded into ${table}`,
      table,
      next: again({ drop: ['skipColumns'] }, { lead: 'leave some of --skip-columns away, or all' }),
    })),
    noneFits: misuse(({ table }: { table: string }) => ({
      says: `the rows have no column that ${table} could take`,
      table,
      next: 'name the columns of the rows as the table does, in a map stage',
    })),
    ofTable: misuse(({ table, declared }: { table: string; declared: string }) => ({
      says: `no column of ${table} is loaded`,
      table,
      next: `name the columns that the rows fill: ${declared}`,
    })),
  },
});
