import { type FileOptions, formatFor } from '../sources/file.js';
import type { CopyRequest } from './request.js';

/** What a request says about how its files are written. */
const READING = [
  'format',
  'columns',
  'delimiter',
  'null',
  'quote',
  'escape',
  'encoding',
  'header',
  'at',
] as const satisfies readonly (keyof CopyRequest & keyof FileOptions)[];

/** How the file at `path` is to be read. */
export function fileOptions(path: string, request: CopyRequest): FileOptions {
  const said = READING.filter((name) => request[name] !== undefined).map((name) => [name, request[name]]);
  const format = formatFor(path, request);
  const options = Object.fromEntries(said) as FileOptions;
  if (format === 'json' || format === 'jsonl' || request.columns === undefined) return options;
  if (request.header !== true) return { ...options, header: false };
  const { columns: _, ...rest } = options;
  return { ...rest, names: request.columns };
}
