import { parse } from 'csv-parse/sync';
import { commandWords, type FlagValue } from '../core/command.js';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import { shownUrl } from '../core/input-url.js';
import { formatList } from '../core/list.js';
import type { PublishMode } from '../core/target.js';
import type { FileFormat } from '../sources/format.js';

/** What `sluice copy` is asked to do. Plain data. */
export interface CopyRequest {
  /** Paths; `-` is stdin. At least one; all into the same table. */
  readonly files: readonly string[];
  /** `table` or `schema.table`, with SQL's quotes where they are needed. */
  readonly into: string;
  /** Append where left out: what COPY does, and what touches no row that is there. */
  readonly mode?: PublishMode;
  /** merge, sync, patch: the columns that identify a row; left out, the primary key. With `create`: the primary key. */
  readonly key?: readonly string[];
  /** Column of the file, by name or by position (`#3`) → column of the table, where the names differ. */
  readonly map?: Readonly<Record<string, string>>;
  /** Columns of the file that are not loaded. */
  readonly skip?: readonly string[];
  /** replace: columns of the table that are left to their defaults. */
  readonly omit?: readonly string[];
  /** CSV: these are its columns, and it has no header unless `header` says so. JSON: the keys to be read. */
  readonly columns?: readonly string[];
  /** CSV with `columns`: whether the first line is a header, in place of which those names stand, or a row. */
  readonly header?: boolean;
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly null?: string;
  readonly quote?: string | false;
  readonly escape?: string;
  readonly encoding?: string;
  readonly at?: string;
  /** SQLite: the table or view to be read, or a query; left out, the only table. */
  readonly table?: string;
  readonly query?: string;
  /** Excel: the sheet by its name; left out, the only one. */
  readonly sheet?: string;
  /** CSV, Excel: lines or rows left out before the header. */
  readonly skipLines?: number;
  /** Where the table is not there, create it first: `proposeTable`. */
  readonly create?: boolean;
  /** The types of the table were proposed: a value that its column would change is a reject. */
  readonly proposed?: boolean;
  /** The path of a JSON Schema that rows, with the file's own column names, must fit. */
  readonly schema?: string;
}

/** The command that does it again, as the ledger keeps it: `copy orders.csv --into orders`. */
export function copyCommand(request: CopyRequest): string {
  const list = (names: readonly string[] | undefined) =>
    names === undefined || names.length === 0 ? undefined : formatList(names);
  const map = Object.entries(request.map ?? {}).map(([from, to]) => `${from}=${to}`);
  const flags: Readonly<Record<string, FlagValue | undefined>> = {
    into: request.into,
    mode: request.mode,
    key: list(request.key),
    map,
    skipColumns: list(request.skip),
    omit: list(request.omit),
    columns: list(request.columns),
    header: request.header,
    format: request.format,
    delimiter: request.delimiter === '\t' ? 'tab' : request.delimiter,
    null: request.null,
    quote: request.quote === false ? 'none' : request.quote,
    escape: request.escape,
    encoding: request.encoding,
    at: request.at,
    table: request.table,
    query: request.query,
    sheet: request.sheet,
    skipLines: request.skipLines === undefined ? undefined : String(request.skipLines),
    schema: request.schema,
    create: request.create === true ? true : undefined,
  };
  const given = Object.entries(flags).filter((flag): flag is [string, FlagValue] => flag[1] !== undefined);
  return commandWords({ name: 'copy', args: request.files.map(shownUrl), flags: Object.fromEntries(given) });
}

/** The names in `a,b,"c,d"`; blanks around unquoted ones are no part of them. Throws usage `bad_list`. */
export function parseList(option: string, text: string): string[] {
  let records: string[][];
  try {
    records = parse(text, { trim: true });
  } catch (cause) {
    throw commandErrors.bad_list.unreadable({ option, text }, { cause });
  }
  const names = records[0] ?? [];
  const empty = records.length !== 1 || names.includes('');
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (empty) throw commandErrors.bad_list.empty({ option });
  if (twice !== undefined) throw commandErrors.bad_list.twice({ option, name: twice });
  return names;
}
