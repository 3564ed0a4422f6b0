import type { Client } from 'pg';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { type AnyRow, CHUNK_ROWS, type Column, type Row, type Rows, type TextRow } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { untilAborted } from '../../core/until-aborted.js';
import { driverClient } from '../../db/driver.js';
import { cutOff } from '../../db/network.js';
import { literal } from '../../db/quote.js';
import { isRowSecurity, rowSecurityError } from '../../db/row-security.js';
import { ourDatabase } from '../../db/users-path.js';
import { type SqliteQuery, sqlite } from '../sqlite/index.js';
import { CopyOut } from './copy-out.js';
import { bare, describeQuery, queryError } from './describe.js';
import { rowParser } from './rows.js';
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
   * `on`: where row-level security hides rows from the role, the rows that it sees are meant (those of one tenant,
   * say). Left out, a query of a table with rows that it cannot see is refused.
   */
  readonly rowSecurity?: 'on';
  /** What gives the same rows where an SQLite file is named in its place: a table, or a query of SQLite's dialect. */
  readonly sqlite?: SqliteQuery;
}

/** How long a session that is no longer needed may take to stop. */
const STOP_MS = 2000;

/**
 * The rows of a query (one SELECT, WITH, VALUES or TABLE statement, read only), by COPY … TO STDOUT on a
 * session of its own, in one snapshot. All values are text as PostgreSQL writes it, or null: numeric,
 * 64-bit integers and timestamps lose nothing; dates are ISO, timestamptz is in UTC with its offset, bytea
 * is hexadecimal. The server plans it as it would for the role elsewhere. A row's origin is its ordinal, from 1 on. Throws refused `row_security` where a policy would hide
 * rows from the role (see `QueryOptions.rowSecurity`), and what `describeQuery` throws.
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
      yield* readQuery(run, name, await textOf(sql, run), options);
    },
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

const rowSecurity = ({ rowSecurity }: QueryOptions) =>
  rowSecurity === 'on' ? ['SET LOCAL row_security = on'] : [];

/** `error`; where a policy would have hidden rows, which, and what to do. */
async function explained(error: unknown, run: Run, name: string): Promise<unknown> {
  const said = error instanceof SluiceError ? error.facts.cause : error;
  if (!isRowSecurity(said)) return error;
  // The session that was refused has a transaction that has failed.
  return rowSecurityError(said, (...asked) => ourDatabase(run.database).query(...asked), `query ${name}`, [
    `or, where the rows that it sees are meant: query(…, { rowSecurity: 'on' })`,
  ]);
}

/** A session of the query's own: along the user's search_path, so that what we say in it is said with schemas. */
async function open(run: Run, name: string): Promise<Client> {
  const client = await untilAborted(driverClient(run.database.connect(`read ${name}`)), run.signal, (late) =>
    late.end(),
  );
  // Every query reports a lost connection itself.
  client.on('error', () => {});
  return client;
}

async function* readQuery(run: Run, name: string, sql: string, options: QueryOptions): Rows {
  const client = await open(run, name);
  let copy: CopyOut | undefined;
  let finished = false;
  let pid: number | undefined;
  try {
    pid = await untilAborted(begin(client, run, options), run.signal);
    const columns = await untilAborted(describeQuery(client, name, sql, options.columns), run.signal);
    const parse = rowParser(columns);
    const before = 'COPY (';
    copy = new CopyOut(client, `${before}${bare(sql)}\n) TO STDOUT`);
    let count = 0;
    for (;;) {
      const piece = await untilAborted(copy.next(), run.signal).catch((error) => {
        throw run.signal.aborted ? error : queryError(error, name, sql, before.length);
      });
      if (piece === undefined) break;
      const rows = parse(piece, count + 1);
      count += rows.length;
      if (rows.length <= 2 * CHUNK_ROWS) yield rows;
      else for (let at = 0; at < rows.length; at += CHUNK_ROWS) yield rows.slice(at, at + CHUNK_ROWS);
      run.progress({ rows: count, ...(options.rows === undefined ? {} : { of: options.rows }) });
    }
    finished = true;
  } catch (error) {
    throw await explained(error, run, name);
  } finally {
    if (!finished && copy !== undefined) await stop(run, client, copy, pid);
    await client.end().catch(() => {});
  }
}

/** One read-only snapshot, shared with the run's other readers where it has one, and lossless text. */
async function begin(client: Client, run: Run, options: QueryOptions): Promise<number> {
  const snapshot = await run.database.snapshot?.();
  const statements = [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    ...(snapshot === undefined ? [] : [`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`]),
    ...rowSecurity(options),
    'SET LOCAL statement_timeout = 0',
    'SET LOCAL idle_in_transaction_session_timeout = 0',
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL bytea_output = 'hex'",
    'SET LOCAL extra_float_digits = 1',
  ];
  await client.query(statements.join('; '));
  const result = await client.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return result.rows[0]?.pid as number;
}

/** Stops a query that nobody reads any more: asked to by cancel, made to by closing the socket. */
async function stop(run: Run, client: Client, copy: CopyOut, pid: number | undefined): Promise<void> {
  const dropped = copy.drop();
  ourDatabase(run.database)
    .query('SELECT pg_catalog.pg_cancel_backend($1)', [pid])
    .catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      cutOff(client);
      resolve();
    }, STOP_MS);
  });
  await Promise.race([dropped, late]);
  clearTimeout(timer);
}
