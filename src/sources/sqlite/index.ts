import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { nearest, usage } from '../../core/errors.js';
import { CHUNK_ROWS, type Row, type Rows } from '../../core/row.js';
import type { Rejection, Run } from '../../core/run.js';
import type { Source } from '../../core/types.js';
import { ident } from '../../db/quote.js';
import { stopIfAborted } from '../raw.js';
import { type Cell, SqliteFile } from './database.js';
import { sqliteError } from './faults.js';
import { type ReadColumn, rowMaker, type SqliteType, typeOf } from './values.js';

/** What is read out of an SQLite file. Exactly one of `table` and `query`. */
export interface SqliteQuery {
  /** A table or view, all of its columns. */
  readonly table?: string;
  /** One SELECT, WITH or VALUES statement, in SQLite's dialect. */
  readonly query?: string;
  /**
   * How columns are read where the declared type does not say: an expression has none. Columns declared BOOLEAN are
   * booleans, DATETIME and TIMESTAMP moments; everything else is text as it is.
   */
  readonly types?: Readonly<Record<string, SqliteType>>;
}

export interface SqliteOptions extends SqliteQuery {
  /** As messages name it; left out, the table, else `query`. */
  readonly name?: string;
  /** The columns that the flow relies on; the check refuses a query that lacks one. */
  readonly columns?: readonly string[];
  /** The name of the order that the query's ORDER BY promises. SQLite sorts in memory where no index helps. */
  readonly order?: string;
  /** About how many rows there will be, for the progress display. */
  readonly rows?: number;
}

/**
 * The rows of a table or query of the SQLite file at `file`; without a file the command line names it (`--source
 * app.db`, `--input name=app.db`). The file is copied to scratch, as one moment had it, and the copy is read, once
 * for all inputs of a run. Values are text, or null: integers of 64 bits exactly, reals exactly, blobs as `\x…`,
 * booleans `t` and `f`, moments as timestamptz in UTC (see `SqliteQuery.types`): what `query` gives for the same
 * data. A row's origin is its ordinal, from 1 on.
 *
 * Throws usage `bad_sqlite_source` at once where table and query are both given, or neither. Checking and reading
 * throw usage `no_file`, and what `SqliteFile.open` and `sqliteError` throw. Text that PostgreSQL cannot hold (a NUL,
 * bytes that are no UTF-8) is a reject.
 */
export function sqlite<R extends Row = Row>(file: string | undefined, options: SqliteOptions): Source<R> {
  const { table, query, columns, order } = options;
  if ((table === undefined) === (query === undefined))
    throw usage('bad_sqlite_source', 'sqlite() needs a table or a query, and not both', {
      next: "sqlite('app.db', { table: 'tasks' })",
    });
  const name = options.name ?? table ?? 'query';
  return {
    name: file === undefined ? name : `${basename(file)}: ${name}`,
    kind: 'sqlite',
    ...(file === undefined ? {} : { path: file }),
    ...(columns === undefined ? {} : { columns }),
    ...(order === undefined ? {} : { order }),
    async check(run) {
      describe(await opened(file, name, run), name, options);
    },
    read: (run) => readSqlite(file, name, options, run) as Rows<R>,
    fromSqlite: (path) => sqlite(path, options),
  };
}

async function opened(file: string | undefined, name: string, run: Run): Promise<SqliteFile> {
  if (file === undefined)
    throw usage('no_file', `the input ${name} is read from an SQLite file, and none was named`, {
      input: name,
      state: 'nothing was read or written',
      next: '--source app.db   (for all such inputs), or --input <name>=app.db',
    });
  return SqliteFile.shared(file, run);
}

/** The columns of the query and how they are read. Throws usage errors for those that cannot be. */
function describe(file: SqliteFile, name: string, options: SqliteOptions): ReadColumn[] {
  const found = file.columns(statement(options));
  const names = found.map((column) => column.name);
  const twice = names
    .map((each) => /^(.*):\d+$/.exec(each)?.[1])
    .find((each) => each !== undefined && names.includes(each));
  if (twice !== undefined)
    throw usage('duplicate_column', `${name} has two columns named ${JSON.stringify(twice)}`, {
      input: file.path,
      column: twice,
      next: 'give one of them another name with AS',
    });
  for (const column of [...(options.columns ?? []), ...Object.keys(options.types ?? {})]) {
    if (names.includes(column)) continue;
    const meant = nearest(column, names);
    throw usage('unknown_column', `${name} (${file.path}) has no column ${JSON.stringify(column)}`, {
      input: file.path,
      column,
      details: [`it has: ${names.join(', ')}`],
      next:
        meant === undefined
          ? 'is it the right file, and of the right version?'
          : `did you mean ${JSON.stringify(meant)}?`,
    });
  }
  return found.map(({ name: column, type }) => ({
    name: column,
    type,
    as: options.types?.[column] ?? typeOf(type),
  }));
}

/** The statement as the author means it, without the semicolon at its end. */
function statement({ table, query }: SqliteQuery): string {
  return table === undefined ? (query as string).replace(/[;\s]+$/, '') : `SELECT * FROM ${ident(table)}`;
}

/**
 * Where a row says of itself whether its texts hold a NUL (1) and U+FFFD (2): the library gives a text up to its first
 * NUL, and bytes that are no UTF-8 as U+FFFD, so that the database has to be asked. The name meets no column's.
 */
const FLAGS = 'sluice:flags';
const HAS_NUL = 1;
const HAS_REPLACEMENT = 2;

function flags(texts: readonly string[]): string {
  if (texts.length === 0) return '0';
  const all = `concat(${texts.map(ident).join(', ')})`;
  return `(instr(${all}, char(0)) > 0) * ${HAS_NUL} + (instr(${all}, char(65533)) > 0) * ${HAS_REPLACEMENT}`;
}

async function* readSqlite(file: string | undefined, name: string, options: SqliteOptions, run: Run): Rows {
  const source = await opened(file, name, run);
  const columns = describe(source, name, options);
  const make = rowMaker(columns);
  const texts = columns
    .filter(({ type, as }) => as === 'text' && mayHoldText(type))
    .map((column) => column.name);
  const sql = `SELECT *, ${flags(texts)} AS ${ident(FLAGS)} FROM (${statement(options)}\n)`;
  const say = (error: unknown) => sqliteError(error, source, name);
  const prepared = attempt(() => source.database.prepare(sql), say);
  try {
    const rows = prepared.iterate() as IterableIterator<Record<string, Cell>>;
    for (let ordinal = 0, done = false; !done; ) {
      stopIfAborted(run);
      const chunk: Row[] = [];
      while (chunk.length < CHUNK_ROWS) {
        const next = attempt(() => rows.next(), say);
        if (next.done === true) {
          done = true;
          break;
        }
        const row = make(next.value, ++ordinal);
        const why = wrongText(row, Number(next.value[FLAGS]), texts);
        if (why === undefined) chunk.push(row);
        else run.reject(row, why);
      }
      run.progress({ rows: ordinal, ...(options.rows === undefined ? {} : { of: options.rows }) });
      if (chunk.length > 0) yield chunk;
      // The library computes without ever waiting: signals and timers get their turn here.
      await setImmediate();
    }
  } finally {
    if (!prepared.isFinalized) prepared.finalize();
  }
}

/** Why a row's texts are not what the file has, if so. */
function wrongText(row: Row, flags: number, texts: readonly string[]): Rejection | undefined {
  if ((flags & HAS_NUL) !== 0)
    return {
      reason: 'nul_in_text',
      message: 'a text of the row holds a NUL character, which PostgreSQL cannot store',
    };
  if ((flags & HAS_REPLACEMENT) !== 0) return undefined;
  for (const column of texts) {
    const value = row[column];
    if (typeof value === 'string' && value.includes('\ufffd'))
      return { reason: 'invalid_utf8', column, value, message: `the text in "${column}" is not UTF-8` };
  }
  return undefined;
}

/** Whether a column of this declared type is likely to hold text: https://www.sqlite.org/datatype3.html#determination_of_column_affinity */
const mayHoldText = (declared: string) => !/int|real|floa|doub/i.test(declared);

function attempt<T>(work: () => T, say: (error: unknown) => unknown): T {
  try {
    return work();
  } catch (error) {
    throw say(error);
  }
}
