import { usage } from '../core/errors.js';
import type { Source } from '../core/types.js';
import type { CsvOptions } from './csv/index.js';
import { csv } from './csv/index.js';
import { type JsonOptions, json } from './json.js';
import { type JsonlOptions, jsonl } from './jsonl.js';
import { STDIN } from './raw.js';

/** How a file's rows are written. */
export type FileFormat = 'csv' | 'tsv' | 'jsonl' | 'json';

export interface FileOptions extends CsvOptions, JsonOptions, JsonlOptions {
  /** What the file's name says where left out; CSV for stdin. */
  readonly format?: FileFormat;
}

const FORMATS: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'json',
};

/**
 * The source for the file at `path`, its format told by the name (`.csv`, `.txt`, `.tsv`, `.tab`, `.jsonl`,
 * `.ndjson`, `.json`, each also with `.gz` or `.zst` behind it); stdin and names that say nothing are CSV,
 * or JSON where `at` is given. Throws usage `format_option` for options of another format.
 */
export function fileSource(path: string, options: FileOptions = {}): Source {
  const { format: _, ...rest } = options;
  const format = formatFor(path, options);
  if (options.at !== undefined && format !== 'json') throw foreign('at', path, format);
  const named = (source: Source) =>
    options.encoding === undefined ? source : { ...source, encoding: options.encoding };
  if (format === 'json' || format === 'jsonl') {
    for (const option of CSV_ONLY) if (options[option] !== undefined) throw foreign(option, path, format);
    return named(format === 'json' ? json(path, rest) : jsonl(path, rest));
  }
  return named(csv(path, format === 'tsv' ? { delimiter: '\t', ...rest } : rest));
}

const CSV_ONLY = [
  'delimiter',
  'header',
  'null',
  'quote',
  'escape',
  'comment',
  'relaxQuotes',
  'trim',
  'skipLines',
  'map',
] as const;

/** The format that `fileSource` reads `path` as: the one given, else what the name says, else CSV or JSON. */
export function formatFor(path: string, options: Pick<FileOptions, 'format' | 'at'>): FileFormat {
  const told = path === STDIN ? undefined : formatOf(path);
  return options.format ?? told ?? (options.at === undefined ? 'csv' : 'json');
}

/** The format that a file's name tells, if it does. */
export function formatOf(path: string): FileFormat | undefined {
  const extension = /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(path)?.[1];
  return extension === undefined ? undefined : FORMATS[extension.toLowerCase()];
}

function foreign(option: string, path: string, format: FileFormat) {
  return usage('format_option', `${option} does not apply to ${format}, which ${path} is read as`, {
    input: path,
    next: 'leave the option out, or name the format',
  });
}
