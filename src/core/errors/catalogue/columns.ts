import { again, type Next } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_PUBLISHED, NOTHING_WRITTEN } from './state.js';

const quoted = (name: string) => JSON.stringify(name);

/** Errors of columns that are not there. */
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
    inExport: misuse(
      ({
        table,
        column,
        meant,
        columns,
      }: {
        table: string;
        column: string;
        meant: string | undefined;
        columns: readonly string[];
      }) => ({
        says: `${table} has no column ${quoted(column)}${meant === undefined ? '' : `; did you mean ${quoted(meant)}?`}`,
        table,
        column,
        state: NOTHING_WRITTEN,
        details: [`it has: ${columns.join(', ')}`],
        next: 'correct the name in --columns',
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
});
