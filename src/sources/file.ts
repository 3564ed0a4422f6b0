import { fileErrors } from '../core/errors/catalogue/files.js';
import { isRemote } from '../core/input-url.js';
import type { Rows } from '../core/row.js';
import type { Run } from '../core/run.js';
import type { Source } from '../core/types.js';
import { formatByBytes } from './by-bytes.js';
import { displayName, STDIN } from './bytes/open.js';
import type { CsvOptions } from './csv/index.js';
import { csv } from './csv/index.js';
import { type FileFormat, formatOf } from './format.js';
import { type JsonOptions, json } from './json/index.js';
import { type JsonlOptions, jsonl } from './json/jsonl.js';
import { type JsonLayout, layoutOf } from './json/layout.js';
import { type ParquetOptions, parquet } from './parquet/index.js';
import { sqliteFile } from './sqlite/file.js';
import type { SqliteQuery } from './sqlite/index.js';
import { checkFile } from './text/check.js';
import { openText, startingWith } from './text/opening.js';
import { type XlsxOptions, xlsx } from './xlsx/index.js';

export interface FileOptions
  extends CsvOptions,
    JsonOptions,
    JsonlOptions,
    Pick<SqliteQuery, 'table' | 'query'>,
    Pick<ParquetOptions, 'unread'>,
    Pick<XlsxOptions, 'sheet'> {
  /** What the file's name says where left out; for stdin, and where it says nothing, what the first bytes say. */
  readonly format?: FileFormat;
}

/**
 * The source for the file at `path`, its format told by the name (`.csv`, `.txt`, `.tsv`, `.tab`, `.jsonl`,
 * `.ndjson`, `.json`, each also with `.gz` or `.zst` behind it; `.db`, `.db3`, `.sqlite`, `.sqlite3`, `.s3db`; `.parquet`, `.pq`;
 * `.xlsx`, `.xlsm`) or by the
 * options; for stdin and names that say nothing, by the first bytes when it is read: JSON, JSON Lines, or else CSV. Throws
 * usage `format_option` for options of another format.
 */
export function fileSource(path: string, options: FileOptions = {}): Source {
  const { format: _, ...rest } = options;
  const format = formatFor(path, options);
  if (format === undefined) return sniffed(path, rest);
  const source = sourceOf(format, path, rest);
  return options.encoding === undefined ? source : { ...source, encoding: options.encoding };
}

function sourceOf(format: FileFormat, path: string, options: FileOptions): Source {
  for (const option of OPTIONS)
    if (options[option] !== undefined && !TAKEN[format].includes(option)) throw foreign(option, path, format);
  switch (format) {
    case 'csv':
      return csv(path, options);
    case 'tsv':
      return csv(path, { delimiter: '\t', ...options });
    case 'json':
      return json(path, options);
    case 'jsonl':
      return jsonl(path, options);
    case 'xlsx':
      return xlsx(path, options);
    case 'parquet':
      return parquet(path, options);
    case 'sqlite':
      return sqliteFile(path, options);
  }
}

/** What is at `path`, in the format that its first bytes show. */
function sniffed(path: string, options: FileOptions): Source {
  const { map: _, header, ...common } = options;
  const asCsv = csv(path, options);
  /** It as JSON of any layout, or as CSV. How a header is to be read means nothing where there is none. */
  const as = (layout: JsonLayout | undefined, opened?: AsyncGenerator<Buffer, void>): Source =>
    layout === undefined
      ? csv(path, { ...options, opened })
      : sourceOf(layout === 'lines' ? 'jsonl' : 'json', path, {
          ...common,
          ...(header === true ? { header } : {}),
          opened,
        });
  /** Opens it, and says what it is. */
  const open = async (
    run: Run,
  ): Promise<{ readonly layout: JsonLayout | undefined; readonly found: Source } | undefined> => {
    const text = openText(path, run, options);
    const first = await text.next();
    // An empty input is an error of opening it.
    if (first.done) return undefined;
    const opened = startingWith(first.value, text);
    const layout = layoutOf(first.value);
    source.format = layout === undefined ? 'csv' : 'json';
    return { layout, found: as(layout, opened) };
  };
  const read: Source['read'] = async function* (run) {
    const opened = await open(run);
    if (opened !== undefined) yield* opened.found.read(run);
  };
  const cut: Source['cut'] = async (run, how) => {
    const opened = await open(run);
    if (opened === undefined) return { rows: nothing };
    const { layout, found } = opened;
    if (found.cut === undefined)
      return { rows: (its) => found.read(its), why: 'its format has no places to cut at' };
    const cut = await found.cut(run, how);
    return 'rows' in cut ? cut : { ...cut, opening: { layout, opening: cut.opening } satisfies Sniffed };
  };
  const partReader: Source['partReader'] = (run, told) => {
    const { layout, opening } = told as Sniffed;
    return (as(layout).partReader as NonNullable<Source['partReader']>)(run, opening);
  };
  const source: Mutable<Source> = {
    ...asCsv,
    ...(options.encoding === undefined ? {} : { encoding: options.encoding }),
    read,
    cut,
    partReader,
    check: (run) => checkFile(path, run, read),
  };
  delete source.format;
  return source;
}

/** What is told of the beginning of a file whose name says nothing. */
interface Sniffed {
  readonly layout?: JsonLayout | undefined;
  readonly opening: unknown;
}

async function* nothing(): Rows {}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Options that say how CSV is written: who gives one knows the format. */
const DIALECT = ['delimiter', 'null', 'quote', 'escape', 'comment', 'relaxQuotes', 'trim'] as const;

const CSV = [...DIALECT, 'skipLines', 'encoding', 'header', 'names', 'map'] as const;

/** Options that not every format takes: those that each of them does. */
const TAKEN: Readonly<Record<FileFormat, readonly (keyof FileOptions)[]>> = {
  csv: CSV,
  tsv: CSV,
  json: ['encoding', 'at'],
  jsonl: ['encoding'],
  sqlite: ['table', 'query', 'map'],
  parquet: ['map', 'unread'],
  xlsx: ['sheet', 'header', 'names', 'map', 'skipLines'],
};

const OPTIONS = [...new Set(Object.values(TAKEN).flat())];

/**
 * The format that `fileSource` reads `path` as: the one given, else what the name or other options say; undefined
 * where the first bytes are to tell.
 */
export function formatFor(path: string, options: FileOptions): FileFormat | undefined {
  if (options.format !== undefined) return options.format;
  const told = path === STDIN ? undefined : formatOf(path);
  if (told !== undefined) return told;
  if (options.at !== undefined) return 'json';
  if (options.sheet !== undefined) return 'xlsx';
  if (options.table !== undefined || options.query !== undefined) return 'sqlite';
  return DIALECT.some((option) => options[option] !== undefined) ? 'csv' : undefined;
}

/** The same, where the first bytes of a file that is no text tell it, too; whether the others are JSON is told as they are read. */
export async function formatAt(path: string, options: FileOptions): Promise<FileFormat | undefined> {
  const told = formatFor(path, options);
  return told !== undefined || path === STDIN || isRemote(path) ? told : formatByBytes(path);
}

function foreign(option: string, path: string, format: FileFormat) {
  return fileErrors.format_option({ option, path: displayName(path), format });
}
