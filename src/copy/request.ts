import { parse } from 'csv-parse/sync';
import { usage } from '../core/errors.js';
import type { PublishMode } from '../core/target.js';
import type { FileFormat } from '../sources/file.js';

/** What `sluice copy` is asked to do. Plain data. */
export interface CopyRequest {
  /** Paths; `-` is stdin. At least one; all into the same table. */
  readonly files: readonly string[];
  /** `table` or `schema.table`. */
  readonly into: string;
  /** Append where left out: what COPY does, and what touches no row that is there. */
  readonly mode?: PublishMode;
  /** merge, patch: the columns that identify a row; left out, the primary key. With `create`: the primary key. */
  readonly key?: readonly string[];
  /** Column of the file → column of the table, where the names differ. */
  readonly map?: Readonly<Record<string, string>>;
  /** Columns of the file that are not loaded. */
  readonly skip?: readonly string[];
  /** replace: columns of the table that are left to their defaults. */
  readonly omit?: readonly string[];
  /** CSV: the file has no header and these are its columns. JSON: the keys to be read. */
  readonly columns?: readonly string[];
  readonly format?: FileFormat;
  readonly delimiter?: string;
  readonly null?: string;
  readonly quote?: string | false;
  readonly escape?: string;
  readonly encoding?: string;
  readonly at?: string;
  /** Where the table is not there, create it first: `proposeTable`. */
  readonly create?: boolean;
  /** The path of a JSON Schema that rows, with the file's own column names, must fit. */
  readonly schema?: string;
}

/**
 * The command that does it again, without `sluice` in front: what the ledger keeps, so that messages can
 * say what to type.
 */
export function copyCommand(request: CopyRequest): string {
  const words = ['copy', ...request.files, '--into', request.into];
  const flag = (name: string, value: string | undefined) => {
    if (value !== undefined) words.push(`--${name}`, value);
  };
  const list = (name: string, names: readonly string[] | undefined) =>
    flag(name, names === undefined || names.length === 0 ? undefined : formatList(names));
  flag('mode', request.mode);
  list('key', request.key);
  for (const [from, to] of Object.entries(request.map ?? {})) flag('map', `${from}=${to}`);
  list('skip-columns', request.skip);
  list('omit', request.omit);
  list('columns', request.columns);
  flag('format', request.format);
  flag('delimiter', request.delimiter === '\t' ? 'tab' : request.delimiter);
  flag('null', request.null);
  flag('quote', request.quote === false ? 'none' : request.quote);
  flag('escape', request.escape);
  flag('encoding', request.encoding);
  flag('at', request.at);
  flag('schema', request.schema);
  if (request.create === true) words.push('--create');
  return words.map(shellWord).join(' ');
}

/** `text` as a POSIX shell reads it as one word. */
function shellWord(text: string): string {
  return /^[\w.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Names as `a,b,"c,d"`: quoted as in CSV where they need it. */
export function formatList(names: readonly string[]): string {
  return names
    .map((name) => (/[",\r\n]|^\s|\s$|^$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
    .join(',');
}

/** The names in `a,b,"c,d"`; blanks around unquoted ones are no part of them. Throws usage `bad_list`. */
export function parseList(option: string, text: string): string[] {
  let records: string[][];
  try {
    records = parse(text, { trim: true });
  } catch (cause) {
    throw usage('bad_list', `${option} ${text}: names between commas were expected`, {
      next: `${option} a,b,"c,with a comma"`,
      cause,
    });
  }
  const names = records[0] ?? [];
  const empty = records.length !== 1 || names.includes('');
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (empty || twice !== undefined)
    throw usage(
      'bad_list',
      twice === undefined || empty
        ? `${option}: one of the names is empty`
        : `${option}: the name ${twice} stands twice`,
      { next: `${option} a,b,"c,with a comma"` },
    );
  return names;
}
