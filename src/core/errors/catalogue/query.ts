import { again } from '../../next.js';
import { failure, misuse, refusal, topic } from './entry.js';
import { AS_THE_COMMAND_ENDS } from './state.js';

/** What to do about a query that the server does not take, by SQLSTATE. */
const REFUSED: Readonly<Record<string, string>> = {
  '42P01': 'check that --database-url names the right database, and that the table is on its search path',
  '42703':
    'check that the database has the schema that the query was written for: the table lacks that column',
  '42501': 'GRANT SELECT on what it reads to this role',
};

/** Errors of queries. */
export const queryErrors = topic({
  query_refused: {
    /** `where`: ` at line 2, character 7`. */
    postgres: misuse(
      ({ query, why, where, sqlstate }: { query: string; why: string; where: string; sqlstate: string }) => ({
        says: `query ${query}: ${why}${where}`,
        input: query,
        sqlstate,
        next: REFUSED[sqlstate] ?? 'correct the query',
      }),
    ),
    sqlite: misuse(({ where, path, why }: { where: string; path: string; why: string }) => ({
      says: `${where}: ${why}`,
      input: path,
      next: 'correct the query',
    })),
  },
  query_failed: failure(
    ({ query, why, where, sqlstate }: { query: string; why: string; where: string; sqlstate: string }) => ({
      says: `query ${query}: ${why}${where}`,
      input: query,
      sqlstate,
      state: AS_THE_COMMAND_ENDS,
      next: again({}, { lead: 'fix what it says, then' }),
    }),
  ),
  /** The state of the database that all readers of a run share is held by a session of whoever began it. */
  snapshot_gone: failure(({ query, snapshot }: { query: string; snapshot: string }) => ({
    says: `query ${query}: the state of the database that the batch reads (snapshot ${snapshot}) is gone: the session that held it has ended`,
    input: query,
    state: AS_THE_COMMAND_ENDS,
    next: again(),
  })),
  /** An inner row of two joined queries has no outer one in its place. */
  join_order: refusal(({ query, on, row }: { query: string; on: string; row: number }) => ({
    says: `query ${query}: row ${row} of its inner query has a ${on} of which its outer query has no row in that place`,
    input: query,
    column: on,
    state: AS_THE_COMMAND_ENDS,
    next: 'order both queries by the same, and select in the inner one only rows that an outer one belongs to',
  })),
  /** What a query's groups are said to have, and what they have. */
  group_rows: {
    counted: refusal(({ query }: { query: string }) => ({
      says: `query ${query}: the statement that counts its groups has no number of rows, from 1 on, for one of them`,
      input: query,
      state: AS_THE_COMMAND_ENDS,
      next: 'let it give a column rows, with how many rows the query has of the group',
    })),
    differ: refusal(
      ({ query, counted, rows, first }: { query: string; counted: number; rows: number; first: number }) => ({
        says: `query ${query}: the part from row ${first} on has ${rows} rows, and its groups were counted to have ${counted}`,
        input: query,
        state: AS_THE_COMMAND_ENDS,
        next: 'count what the query gives, and let all of its statements heed the range that they are given',
      }),
    ),
  },
});
