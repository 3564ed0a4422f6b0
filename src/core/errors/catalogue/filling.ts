import { formatList } from '../../list.js';
import { again, type Next } from '../../next.js';
import { misuse, topic } from './entry.js';
import { NOTHING_WRITTEN } from './state.js';

const leftOut = (skip: readonly string[], name: string, lead: string) =>
  again({ flags: { skipColumns: formatList([...skip, name]) } }, { lead });

/** Columns of a table that is filled as `mode` does it. */
interface Filled {
  readonly table: string;
  readonly mode: string;
}

/** Errors of what fills the columns of a table, and of keys. */
export const fillingErrors = topic({
  column_twice: {
    omitted: misuse(
      ({
        column,
        omit,
        skip,
        from,
      }: {
        column: string;
        /** What is omitted, this one among it, and what is left out already. */
        omit: readonly string[];
        skip: readonly string[];
        /** The column of the file that is for it. */
        from: string;
      }) => ({
        says: `--omit ${column}: the file has a column for it`,
        next: [
          again(
            omit.length === 1
              ? { drop: ['omit'] }
              : { flags: { omit: formatList(omit.filter((name) => name !== column)) } },
            { note: 'loads it' },
          ),
          leftOut(skip, from, 'or do not load it'),
        ],
      }),
    ),
    mapped: misuse(({ column, first, second }: { column: string; first: string; second: string }) => ({
      says: `--map names the column "${column}" twice: as ${first} and as ${second}`,
      column,
      next: 'leave one of them away',
    })),
    filled: misuse(
      ({
        input,
        first,
        second,
        table,
        column,
        skip,
      }: {
        input: string;
        first: string;
        second: string;
        table: string;
        column: string;
        skip: readonly string[];
      }) => ({
        says: `${input}: both "${first}" and "${second}" would fill ${table}.${column}`,
        column,
        next: [
          leftOut(skip, second, `leave "${second}" out`),
          leftOut(skip, first, `or "${first}"`),
          'or another column of the table for one of them (--map)',
        ],
      }),
    ),
    inNewTable: misuse(
      ({
        first,
        second,
        column,
        skip,
      }: {
        first: string;
        second: string;
        column: string;
        skip: readonly string[];
      }) => ({
        says: `both "${first}" and "${second}" would be the column "${column}"`,
        column,
        next: ['give one of them another name (--map)', leftOut(skip, second, 'or leave one out')],
      }),
    ),
    loaded: misuse(({ table, column }: { table: string; column: string }) => ({
      says: `column ${column} of ${table} is loaded twice`,
      table,
      column,
      next: 'name it once',
    })),
  },
  no_such_column: {
    inNewTable: misuse(
      ({
        column,
        columns,
        corrected,
      }: {
        column: string;
        columns: readonly string[];
        corrected: Next | undefined;
      }) => ({
        says: `--key: the new table would have no column "${column}"`,
        column,
        details: [`its columns: ${columns.join(', ')}`],
        next: corrected ?? 'name one of its columns',
      }),
    ),
    byFlag: misuse(
      ({
        flag,
        table,
        column,
        columns,
        corrected,
      }: {
        flag: string;
        table: string;
        column: string;
        columns: readonly string[];
        corrected: Next | undefined;
      }) => ({
        says: `${flag}: ${table} has no column "${column}"`,
        table,
        column,
        details: [`its columns: ${columns.join(', ')}`],
        next: corrected ?? 'name one of its columns',
      }),
    ),
    declared: misuse(
      ({ table, column, meant }: { table: string; column: string; meant: string | undefined }) => ({
        says: `${table} has no column ${column}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
        table,
        column,
        next: meant === undefined ? 'name one of its columns' : `name ${meant}`,
      }),
    ),
  },
  generated_column: misuse(
    ({
      table,
      column,
      from,
      skip,
    }: {
      table: string;
      column: string;
      from: string;
      skip: readonly string[];
    }) => ({
      says: `${table}.${column} is computed by the database and cannot be filled`,
      column: from,
      next: leftOut(skip, from, 'leave it out'),
    }),
  ),
  /** `lacks`: `data.csv has nothing`; `first`: steps that come before the others. */
  unfilled_columns: misuse(
    ({
      lacks,
      table,
      columns,
      omit,
      first,
    }: {
      lacks: string;
      table: string;
      columns: readonly string[];
      omit: readonly string[];
      first: Next;
    }) => ({
      says: `${lacks} for ${columns.map((name) => `${table}.${name}`).join(', ')}: replacing the table would lose what is in there`,
      table,
      state: NOTHING_WRITTEN,
      next: [
        ...[first].flat(),
        again(
          { flags: { omit: formatList([...omit, ...columns]) } },
          { note: 'the new rows get the defaults' },
        ),
        `or, if the file has ${columns[0]} under another name, say which (--map)`,
        again({ drop: ['omit'], flags: { mode: 'append' } }, { lead: 'or keep the rows that are there' }),
      ],
    }),
  ),
  key_not_filled: misuse(
    ({ lacks, table, column, first }: { lacks: string; table: string; column: string; first: Next }) => ({
      says: `${lacks} for ${table}.${column}, by which rows are found`,
      table,
      column,
      next: [...[first].flat(), 'say which column of the file it is (--map), or name another key (--key)'],
    }),
  ),
  key_not_loaded: misuse(({ table, mode, column }: Filled & { column: string }) => ({
    says: `${mode} into ${table} needs its key column ${column} among the loaded`,
    table,
    column,
    next: `load ${column}, or name another key`,
  })),
  no_key: {
    primary: misuse(({ table, mode }: Filled) => ({
      says: `${table} has no primary key: --mode ${mode} must be told how rows are found`,
      table,
      next: 'name the columns that identify a row: --key a,b',
    })),
    /** `declared`: how a pipeline says it. */
    loaded: misuse(({ table, mode, declared }: Filled & { declared: string }) => ({
      says: `${mode} into ${table} needs a key, and its primary key is not loaded`,
      table,
      next: `name the columns that identify a row: ${declared}`,
    })),
  },
});
