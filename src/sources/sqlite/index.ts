import { basename } from 'node:path';
import { withoutEnd } from '../../core/ends.js';
import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { loadErrors } from '../../core/errors/catalogue/load.js';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import { nearest } from '../../core/errors/nearest.js';
import type { Cut, CutOptions, Uncut } from '../../core/parts.js';
import type { AnyRow, Column, Row, Rows, TextRow } from '../../core/row.js';
import type { Rejection, Run } from '../../core/run.js';
import type { DateUnit, Source, SqliteType } from '../../core/types.js';
import { ident } from '../../db/quote.js';
import { stopIfAborted } from '../bytes/stop.js';
import { type HeaderOptions, resolveHeader } from '../csv/header.js';
import { type CutOpening, type CutTable, cutTable, partsAt } from './cut.js';
import { SqliteFile } from './database.js';
import { decideDates } from './dates.js';
import type { ReadChunk, ReadRequest, WrongRow } from './reader.js';
import { cellParser, type ParseCells, rowOfCells } from './rows.js';
import { DATE_UNITS, sqlTypeOf, typeOf } from './values.js';

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
  /**
   * How columns store their dates, where that is not to be told by their values: as seconds, milliseconds,
   * microseconds or nanoseconds since 1970, as Julian days, or as text alone. A column named here is read as a date.
   */
  readonly dates?: Readonly<Record<string, DateUnit>>;
  /** Cells as they are stored, whatever is declared: booleans stay 0 and 1, moments the number or text that they are. */
  readonly asStored?: boolean;
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
 * data. How a column stores its dates is told by all of its values, and said (the check's notes, the log). A row's
 * origin is its ordinal, from 1 on.
 *
 * Throws usage `bad_sqlite_source` at once where table and query are both given, or neither, or `dates` names no unit.
 * Checking and reading throw usage `no_file`, `file_not_found` and, with the nearest name there is, what SQLite says of a
 * missing table or column; refused `unclear_dates`; failed `not_sqlite`, `source_busy`, `corrupt_database`. Text that PostgreSQL cannot hold (a NUL,
 * bytes that are no UTF-8) is a reject.
 */
export function sqlite<const C extends string>(
  file: string | undefined,
  options: SqliteOptions & { readonly columns: readonly C[] },
): Source<TextRow<C>>;
/** Rows as the author says they are. */
export function sqlite<R extends AnyRow = Row>(
  file: string | undefined,
  options: SqliteOptions & { readonly columns?: readonly Column<R>[] },
): Source<R>;
export function sqlite(file: string | undefined, options: SqliteOptions): Source {
  return sqliteSource(file, options);
}

/** A source whose columns may be called otherwise in its rows. */
interface NamedOptions extends SqliteOptions {
  readonly map?: HeaderOptions['map'];
}

/** `sqlite`, the columns of its rows called as `map` says. */
export function sqliteSource(file: string | undefined, options: NamedOptions): Source {
  const { table, query, columns, order } = options;
  if ((table === undefined) === (query === undefined)) throw sqliteErrors.bad_sqlite_source.whatToRead();
  for (const [column, unit] of Object.entries(options.dates ?? {}))
    if (!DATE_UNITS.includes(unit))
      throw sqliteErrors.bad_sqlite_source.dates({ column, unit, units: DATE_UNITS });
  const name = options.name ?? table ?? 'query';
  return {
    name: file === undefined ? name : `${basename(file)}: ${name}`,
    kind: 'sqlite',
    ...(file === undefined ? {} : { path: file }),
    ...(columns === undefined ? {} : { columns }),
    ...(order === undefined ? {} : { order }),
    ...(table === undefined || options.dates === undefined ? {} : { dates: { table, units: options.dates } }),
    ...(table === undefined
      ? {}
      : {
          allColumns: async (run: Run) =>
            (await (await opened(file, name, run)).columns(statement(options))).map((column) => column.name),
        }),
    async check(run) {
      return (await described(await opened(file, name, run), name, options, run)).said;
    },
    read: (run) => readSqlite(file, name, options, run),
    ...(table === undefined
      ? {}
      : {
          cut: (run: Run, how: CutOptions) => cutSqlite(file, name, { ...options, table }, { run, how }),
          partReader: async (run: Run, opening: unknown) =>
            partsAt(await tableIn(file, name, { ...options, table }, run), opening as CutOpening),
        }),
    fromSqlite: (path) => sqliteSource(path, options),
    async types(run) {
      const { map: _, ...own } = options;
      const { columns } = await described(await opened(file, name, run), name, own, run);
      return Object.fromEntries(
        columns.flatMap((column) => {
          const type = sqlTypeOf(column);
          return type === undefined ? [] : [[column.name, type]];
        }),
      );
    },
  };
}

async function opened(file: string | undefined, name: string, run: Run): Promise<SqliteFile> {
  if (file === undefined) throw sqliteErrors.no_file.ofInput({ name });
  return SqliteFile.shared(file, run);
}

/** A column of the query, and what it is read as before anything is known of its values. */
type SelectedColumn = Omit<ReadColumn, 'as'> & { readonly as: SqliteType };

/** A column that is read, and what rows call it. */
type ReadColumn = ReadRequest['columns'][number] & { readonly to: string };

interface ColumnsRequest extends ReadRequest {
  readonly columns: readonly ReadColumn[];
}

/** The columns of the query and how they are read, and what was found out for that. Throws as `decideDates`. */
async function described(
  file: SqliteFile,
  name: string,
  options: NamedOptions,
  run: Run,
): Promise<{ readonly columns: readonly ReadColumn[]; readonly said: readonly string[] }> {
  const columns = await describe(file, name, options);
  const told = options.dates ?? {};
  const asked = columns.filter(({ name: column, as }) => as === 'datetime' && !Object.hasOwn(told, column));
  const { units, said } = await decideDates(
    file,
    name,
    statement(options),
    asked.map((column) => column.name),
    run,
  );
  return {
    columns: columns.map((column) => {
      const { as } = column;
      const unit = Object.hasOwn(told, column.name) ? told[column.name] : units.get(column.name);
      return { ...column, as: as === 'datetime' ? (`date ${unit ?? 'text'}` as const) : as };
    }),
    said,
  };
}

/** The columns of the query. Throws usage errors for those that cannot be read. */
async function describe(
  file: SqliteFile,
  name: string,
  options: NamedOptions,
): Promise<readonly SelectedColumn[]> {
  const found = await file.columns(statement(options));
  const names = found.map((column) => column.name);
  const twice = names
    .map((each) => /^(.*):\d+$/.exec(each)?.[1])
    .find((each) => each !== undefined && names.includes(each));
  if (twice !== undefined)
    throw headerErrors.duplicate_column.sqlite({ name, path: file.path, column: twice });
  const { types = {}, dates = {}, map } = options;
  const called =
    map === undefined ? names : resolveHeader(names, { map, columns: options.columns ?? [] }, file.path);
  for (const column of [
    ...(map === undefined ? (options.columns ?? []) : []),
    ...Object.keys(types),
    ...Object.keys(dates),
  ]) {
    if (names.includes(column)) continue;
    throw columnErrors.unknown_column.inSqlite({
      name,
      path: file.path,
      column,
      meant: nearest(column, names),
      columns: names,
    });
  }
  return found.map(({ name: column, type }, at) => ({
    name: column,
    to: called[at] as string,
    type,
    as: Object.hasOwn(dates, column)
      ? 'datetime'
      : ((Object.hasOwn(types, column) ? types[column] : undefined) ??
        (options.asStored === true ? 'text' : typeOf(type))),
  }));
}

/** The statement as the author means it, without the semicolon at its end. */
function statement({ table, query }: SqliteQuery): string {
  return table === undefined ? withoutEnd(query as string, /[;\s]/) : `SELECT * FROM ${ident(table)}`;
}

async function* readSqlite(file: string | undefined, name: string, options: NamedOptions, run: Run): Rows {
  const source = await opened(file, name, run);
  const columns = await columnsOf(source, name, options, run);
  const of = options.rows === undefined ? {} : { of: options.rows };
  yield* rowsOf(source, { sql: statement(options), columns }, run, {
    before: 0,
    progress: (rows) => run.progress({ rows, ...of }),
  });
}

async function columnsOf(file: SqliteFile, name: string, options: NamedOptions, run: Run) {
  const { columns, said } = await described(file, name, options, run);
  for (const each of said) run.log.info(`${name}: ${each}`);
  return columns;
}

/** A table in parts; see `cutTable`. */
async function cutSqlite(
  file: string | undefined,
  name: string,
  options: NamedOptions & { readonly table: string },
  { run, how }: { readonly run: Run; readonly how: CutOptions },
): Promise<Cut | Uncut> {
  const cut = await cutTable(await tableIn(file, name, options, run), how);
  return 'why' in cut ? { ...cut, rows: (its: Run) => readSqlite(file, name, options, its) } : cut;
}

/** A table of which parts are read; `run` is told how far they are. */
async function tableIn(
  path: string | undefined,
  name: string,
  options: NamedOptions & { readonly table: string },
  run: Run,
): Promise<CutTable> {
  const file = await opened(path, name, run);
  const columns = await columnsOf(file, name, options, run);
  const of = options.rows === undefined ? {} : { of: options.rows };
  return {
    file,
    name,
    table: options.table,
    columns: columns.map((column) => column.name),
    read: (its, sql, { start, lines }) =>
      rowsOf(file, { sql, columns }, its, {
        before: start,
        progress: () => run.progress(of),
        // Of other rows the ordinals would be wrong.
        done(rows) {
          if (rows !== lines) throw loadErrors.not_repeatable.otherwise({ input: name, by: 'rowid' });
        },
      }),
  };
}

/** How the rows of a statement are counted. */
interface Counted {
  /** The first one's origin is the one after this. */
  readonly before: number;
  progress(rows: number): void;
  /** Told of all rows once they are read. */
  done?(rows: number): void;
}

async function* rowsOf(source: SqliteFile, request: ColumnsRequest, run: Run, counted: Counted): Rows {
  const { columns } = request;
  const parse = cellParser(columns.map(({ to, as }) => ({ name: to, as })));
  let count = 0;
  for await (const chunk of source.read(request)) {
    stopIfAborted(run);
    const { buffer, ends, wrong } = chunk;
    const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    const first = counted.before + count + 1;
    const rows =
      wrong.length === 0 ? parse(bytes, first) : withoutWrong(bytes, chunk, first, { columns, parse }, run);
    count += ends.length;
    counted.progress(count);
    if (rows.length > 0) yield rows;
  }
  counted.done?.(count);
}

/** The rows whose texts are what the file has; the others are rejected, with the cells that could be read. */
function withoutWrong(
  bytes: Buffer,
  { ends, wrong }: ReadChunk,
  ordinal: number,
  { columns, parse }: { readonly columns: readonly ReadColumn[]; readonly parse: ParseCells },
  run: Run,
): Row[] {
  const reasons = new Map(wrong.map((each) => [each.index, each]));
  const good: Row[] = [];
  for (const [index, end] of ends.entries()) {
    const why = reasons.get(index);
    if (why === undefined) {
      const [row] = parse(bytes.subarray(ends[index - 1] ?? 0, end), ordinal + index, 1);
      good.push(row as Row);
      continue;
    }
    const called = columns.map(({ to, as }) => ({ name: to, as }));
    const row = why.cells === undefined ? undefined : rowOfCells(called, why.cells, ordinal + index);
    const to = columns.find(({ name }) => name === why.column)?.to;
    run.reject(row, {
      ...rejectionOf({ ...why, ...(to === undefined ? {} : { column: to }) }, row),
      line: ordinal + index,
    });
  }
  return good;
}

function rejectionOf({ reason, column }: WrongRow, row: Row | undefined): Rejection {
  const at = column === undefined ? {} : { column, ...(row === undefined ? {} : { value: row[column] }) };
  const where = column === undefined ? 'a text of the row' : `the text in "${column}"`;
  return reason === 'nul_in_text'
    ? { reason, message: `${where} holds a NUL character, which PostgreSQL cannot store`, ...at }
    : { reason, message: `${where} is not UTF-8`, ...at };
}
