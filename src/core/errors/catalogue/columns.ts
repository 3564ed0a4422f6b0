import { formatList } from '../../list.js';
import { again, type Next } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS, NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

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

const nameThem = ({ left, skip, naming }: Unnamed): Next => [
  again(
    { flags: { map: naming } },
    { lead: `give ${left.length === 1 ? 'it a name, by its position' : 'them names, by their positions'}` },
  ),
  again(
    { flags: { skipColumns: formatList([...skip, ...left]) } },
    { lead: `or leave ${left.length === 1 ? 'it' : 'them'} out` },
  ),
];

/** Errors of columns: which there are, and what they are called. */
export const columnErrors = topic({
  unknown_column: {
    inFile: misuse(
      ({
        input,
        wanted,
        meant,
        columns,
      }: {
        input: string;
        wanted: string;
        meant: string | undefined;
        columns: string;
      }) => ({
        says: `${input} has no column ${quoted(wanted)}${meant === undefined ? '' : `; did you mean ${quoted(meant)}?`}`,
        input,
        column: wanted,
        details: [`its columns: ${columns}`],
        next: `correct the name in map: it has no column ${wanted}`,
      }),
    ),
    inQuery: misuse(
      ({
        query,
        column,
        meant,
        columns,
      }: {
        query: string;
        column: string;
        meant: string | undefined;
        columns: readonly string[];
      }) => ({
        says: `query ${query} has no column ${quoted(column)}`,
        input: query,
        column,
        details: [`it has: ${columns.join(', ')}`],
        next:
          meant === undefined
            ? 'add it to the query, or declare other columns'
            : `did you mean ${quoted(meant)}?`,
      }),
    ),
    inSqlite: misuse(
      ({
        name,
        path,
        column,
        meant,
        columns,
      }: {
        name: string;
        path: string;
        column: string;
        meant: string | undefined;
        columns: readonly string[];
      }) => ({
        says: `${name} (${path}) has no column ${quoted(column)}`,
        input: path,
        column,
        details: [`it has: ${columns.join(', ')}`],
        next:
          meant === undefined
            ? 'is it the right file, and of the right version?'
            : `did you mean ${quoted(meant)}?`,
      }),
    ),
    saysSqlite: misuse(
      ({
        where,
        path,
        column,
        meant,
      }: {
        where: string;
        path: string;
        column: string;
        meant: string | undefined;
      }) => ({
        says: `${where}: there is no column ${column}`,
        input: path,
        column,
        next: meant === undefined ? 'check the query against the tables' : `did you mean "${meant}"?`,
      }),
    ),
    /** `corrected`: the command with the name that is meant. */
    byFlag: misuse(
      ({
        flag,
        input,
        wanted,
        columns,
        corrected,
      }: {
        flag: string;
        input: string;
        wanted: string;
        columns: readonly string[];
        corrected: Next | undefined;
      }) => ({
        says: `${flag}: ${input} has no column "${wanted}"`,
        column: wanted,
        details: [`its columns: ${columns.join(', ')}`],
        next: corrected ?? 'name one of its columns',
      }),
    ),
    notInTable: misuse(
      ({
        who,
        column,
        table,
        meant,
        columns,
      }: {
        who: 'rows have' | 'pipeline declares';
        column: string;
        table: string;
        meant: string | undefined;
        columns: readonly string[];
      }) => ({
        says: `the ${who} a column ${quoted(column)} that ${table} lacks`,
        table,
        column,
        details: [`${table} has: ${columns.join(', ')}`],
        next:
          meant === undefined
            ? `leave ${quoted(column)} out in a map stage, or declare the columns to load`
            : `did you mean ${quoted(meant)}? Rename it in a map stage`,
      }),
    ),
    corrected: refusal(({ column, columns }: { column: string; columns: readonly string[] }) => ({
      says: `the input has no column ${column}`,
      column,
      state: NOTHING_WRITTEN,
      next: `take it out of the file, or call it as the input does: ${columns.join(', ')}`,
    })),
  },
  missing_column: {
    inFile: misuse(
      ({
        input,
        wanted,
        meant,
        columns,
      }: {
        input: string;
        wanted: string;
        meant: string | undefined;
        columns: string;
      }) => ({
        says: `${input} has no column ${quoted(wanted)}${meant === undefined ? '' : `; did you mean ${quoted(meant)}?`}`,
        input,
        column: wanted,
        details: [`its columns: ${columns}`],
        next:
          meant === undefined
            ? `if it is there under another name: call it ${wanted} in the header`
            : again(
                { flags: { map: [`${meant}=${wanted}`] } },
                {
                  lead: 'if it is there under another name',
                  otherwise: `if ${quoted(meant)} is meant: call it ${wanted} in the header`,
                },
              ),
      }),
    ),
    /** `read`: how many records were, where that was all of them. */
    inRecords: misuse(
      ({
        input,
        read,
        missing,
        meant,
        columns,
      }: {
        input: string;
        read: number | undefined;
        missing: readonly string[];
        meant: string | undefined;
        columns: readonly string[];
      }) => ({
        says: `none of the ${read === undefined ? '' : `${read} `}records of ${input} has a column ${missing.join(', ')}`,
        input,
        column: missing[0],
        details: [`columns: ${columns.join(', ')}`],
        state: NOTHING_PUBLISHED,
        next:
          meant === undefined
            ? 'correct the export that wrote it'
            : `is ${meant} meant? call it ${missing[0]}`,
      }),
    ),
    notNull: misuse(
      ({ table, column, columns }: { table: string; column: string; columns: readonly string[] }) => ({
        says: `${table}.${column} is NOT NULL without a default, and the rows have no such column`,
        table,
        column,
        details: [`the rows have: ${columns.join(', ')}`],
        next: `fill ${column} in a map stage, or give the column a default`,
      }),
    ),
    /** `lacks`: `data.csv has nothing`; `first`: steps that come before the others. */
    unfilled: misuse(
      ({
        lacks,
        table,
        columns,
        first,
      }: {
        lacks: string;
        table: string;
        columns: readonly string[];
        first: Next;
      }) => ({
        says: `${lacks} for ${columns.map((name) => `${table}.${name}`).join(', ')}, which may not be NULL and has no default`,
        table,
        state: NOTHING_WRITTEN,
        next: [
          ...[first].flat(),
          `if the file has ${columns[0]} under another name, say which (--map)`,
          'or give the column a default in the database',
        ],
      }),
    ),
  },
  column_missing: refusal(({ column }: { column: string }) => ({
    says: `the file lacks the column ${column} of the input`,
    column,
    state: NOTHING_WRITTEN,
    next: 'leave all columns of the file of rejects where they are',
  })),
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
