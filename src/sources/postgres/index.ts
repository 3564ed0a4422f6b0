import type { AnyRow, Column, Row, TextRow } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { untilAborted } from '../../core/until-aborted.js';
import { type SqliteQuery, sqlite } from '../sqlite/index.js';
import { type Cuttable, cutQuery, type Opening, queryParts, readWhole } from './cut.js';
import { describeQuery } from './describe.js';
import { explained, open, rowSecurity } from './session.js';
import { tableKeys } from './table-keys.js';

export interface QueryOptions {
  /** As messages name it; left out, `query`. */
  readonly name?: string;
  /** The columns that the flow relies on; the check refuses a query that lacks one. */
  readonly columns?: readonly string[];
  /**
   * The table of which these are the rows, with all of their columns: one that is not among `columns` is then known to
   * checks that nothing is left behind.
   */
  readonly table?: string;
  /** The name of the order that the query's ORDER BY promises. */
  readonly order?: string;
  /** About how many rows there will be, for the progress display. */
  readonly rows?: number;
  /**
   * A column of the query by whose ranges its rows may be read in several parts at the same time, each by a statement of
   * its own: the query must give each row whichever of them are asked for (no LIMIT, nothing that is numbered or drawn by
   * lot), and an index should find them. Named, it goes before an order: rows come in the order of this column, part by
   * part. Left out, a query whose rows are those of a table one for one is read by where they lie there.
   */
  readonly partBy?: string;
  /**
   * `on`: where row-level security hides rows from the role, the rows that it sees are meant (those of one tenant,
   * say). Left out, a query of a table with rows that it cannot see is refused.
   */
  readonly rowSecurity?: 'on';
  /** What gives the same rows where an SQLite file is named in its place: a table, or a query of SQLite's dialect. */
  readonly sqlite?: SqliteQuery;
}

/**
 * The rows of a query (one SELECT, WITH, VALUES or TABLE statement, read only), by COPY … TO STDOUT on a
 * session of its own, in one snapshot. All values are text as PostgreSQL writes it, or null: numeric,
 * 64-bit integers and timestamps lose nothing; dates are ISO, timestamptz is in UTC with its offset, bytea
 * is hexadecimal. The server plans it as it would for the role elsewhere. A row's origin is its ordinal, from 1 on; where
 * the query is read in parts (see `QueryOptions.partBy`), 100,000,000 for each part before its own, and its ordinal in that.
 * Throws refused `row_security` where a policy would hide
 * rows from the role (see `QueryOptions.rowSecurity`), usage `query_refused` with line and column
 * of the mistake, `duplicate_column`, and `unknown_column` where one of `columns` is not among them.
 *
 * Where the statement depends on what there is in the database (a table that may be missing), `sql` is a
 * function that is asked for it before each check and each reading.
 */
export function query<const C extends string>(
  sql: string | ((run: Run) => Promise<string>),
  options: QueryOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function query<R extends AnyRow = Row>(
  sql: string | ((run: Run) => Promise<string>),
  options?: QueryOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function query(sql: string | ((run: Run) => Promise<string>), options: QueryOptions = {}): Source {
  const name = options.name ?? 'query';
  const { columns, order, rows, partBy, rowSecurity: secured } = options;
  const cuttable: Cuttable = {
    name,
    columns,
    order,
    rows,
    partBy,
    ...(secured === undefined ? {} : { rowSecurity: secured }),
  };
  return {
    name,
    kind: 'query',
    ...(options.columns === undefined ? {} : { columns: options.columns }),
    ...(options.order === undefined ? {} : { order: options.order }),
    ...(options.table === undefined ? {} : ofTable(options.table)),
    async check(run) {
      const client = await open(run, name);
      try {
        await client.query(['BEGIN READ ONLY', ...rowSecurity(options)].join('; '));
        await untilAborted(describeQuery(client, name, await textOf(sql, run), options.columns), run.signal);
      } catch (error) {
        throw await explained(error, run, name);
      } finally {
        await client.end().catch(() => {});
      }
    },
    async *read(run) {
      yield* readWhole(run, await textOf(sql, run), cuttable);
    },
    cut: async (run, how) => cutQuery(run, await textOf(sql, run), cuttable, how),
    partReader: async (run, opening) => queryParts(run, cuttable, opening as Opening),
    ...(options.sqlite === undefined ? {} : { fromSqlite: inSqlite(name, options, options.sqlite) }),
  };
}

const ofTable = (table: string): Pick<Source, 'table' | 'allColumns' | 'keys'> => ({
  table,
  allColumns: (run) => columnsOf(run, table),
  keys: (run, column) => tableKeys(run.database, table, column),
});

async function columnsOf(run: Run, table: string): Promise<readonly string[]> {
  const rows = await run.database.query<{ name: string }>(
    // Along the user's search_path, which says which table is meant.
    `SELECT a.attname AS name FROM pg_catalog.pg_attribute a
     WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)::pg_catalog.oid
       AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped ORDER BY a.attnum`,
    [table],
  );
  return rows.map(({ name }) => name);
}

/** The same rows out of an SQLite file. */
function inSqlite(name: string, options: QueryOptions, where: SqliteQuery) {
  const { columns, order, rows } = options;
  return (path: string): Source =>
    sqlite(path, {
      name,
      ...where,
      ...(columns === undefined ? {} : { columns }),
      ...(order === undefined ? {} : { order }),
      ...(rows === undefined ? {} : { rows }),
    });
}

async function textOf(sql: string | ((run: Run) => Promise<string>), run: Run): Promise<string> {
  return typeof sql === 'string' ? sql : sql(run);
}
