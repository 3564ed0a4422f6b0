import { pathInUrl } from '../core/input-url.js';
import type { RowFormat } from '../core/types.js';

/** How a file's rows are written. */
export type FileFormat = 'csv' | 'tsv' | 'jsonl' | 'json' | 'sqlite' | 'parquet' | 'xlsx';

/** Those that are no text, and begin in a way of their own. */
export type BinaryFormat = 'sqlite' | 'parquet' | 'xlsx';

/** By the ends of names, behind which `.gz` or `.zst` may stand. */
const TEXT: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
};

/** What is no text, and is not read packed. */
const BINARY: Readonly<Record<string, BinaryFormat>> = {
  db: 'sqlite',
  db3: 'sqlite',
  sqlite: 'sqlite',
  sqlite3: 'sqlite',
  s3db: 'sqlite',
  parquet: 'parquet',
  pq: 'parquet',
  xlsx: 'xlsx',
  xlsm: 'xlsx',
};

/** The format that a file's name tells, if it does. */
export function formatOf(path: string): FileFormat | undefined {
  const [, end = '', packed] = endOf(path);
  return textFormatOf(path) ?? (packed === undefined ? BINARY[end.toLowerCase()] : undefined);
}

/** The same where it is one of text. */
export function textFormatOf(path: string): FileFormat | undefined {
  const [, end = ''] = endOf(path);
  return TEXT[end.toLowerCase()];
}

/** Whether what is written so is text; where nothing is known, it is. */
export const isText = (
  format: FileFormat | RowFormat | undefined,
): format is Exclude<FileFormat, BinaryFormat> | undefined =>
  format !== 'sqlite' && format !== 'parquet' && format !== 'xlsx';

/** Whether the file itself says what its columns are called, always. */
export const namesColumns = (format: FileFormat | undefined): boolean =>
  format === 'sqlite' || format === 'parquet';

/** Whether a file's rows take more bytes than it has. */
export const isPacked = (path: string): boolean =>
  /\.(?:gz|zst)$/i.test(pathInUrl(path)) || ['parquet', 'xlsx'].includes(formatOf(path) ?? '');

const endOf = (path: string): readonly (string | undefined)[] =>
  /\.([a-z0-9]+?)(\.(?:gz|zst))?$/i.exec(pathInUrl(path)) ?? [];

/** Whether all rows have the columns that a header or a schema names; records of JSON may leave some out. */
export const hasColumns = (format: FileFormat | RowFormat | undefined): boolean =>
  format !== 'json' && format !== 'jsonl';
