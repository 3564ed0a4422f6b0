import { fileErrors } from '../core/errors/catalogue/files.js';
import { displayName } from '../sources/bytes/open.js';
import { type FileOptions, formatAt } from '../sources/file.js';
import { type FileFormat, hasColumns, namesColumns } from '../sources/format.js';
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
  'table',
  'query',
  'sheet',
  'skipLines',
] as const satisfies readonly (keyof CopyRequest & keyof FileOptions)[];

/**
 * How the file at `path` is to be read: as the request says, else as its name or, where it is no text, its first bytes do.
 * Throws usage `format_option`.
 */
export async function fileOptions(path: string, request: CopyRequest): Promise<FileOptions> {
  return optionsAs(await formatAt(path, request), path, request);
}

/** The same where the format is known; undefined: the first bytes tell it when they are read. */
export function optionsAs(format: FileFormat | undefined, path: string, request: CopyRequest): FileOptions {
  const said = READING.filter((name) => request[name] !== undefined).map((name) => [name, request[name]]);
  const options: FileOptions = {
    ...(Object.fromEntries(said) as FileOptions),
    ...(format === undefined ? {} : { format }),
    ...(format === 'parquet' && request.skip !== undefined ? { unread: request.skip } : {}),
  };
  if (!hasColumns(format) || request.columns === undefined) return options;
  // Its columns are in the file, whatever anybody says.
  if (namesColumns(format))
    throw fileErrors.format_option({
      option: 'columns',
      path: displayName(path),
      format: format as FileFormat,
    });
  if (request.header !== true) return { ...options, header: false };
  const { columns: _, ...rest } = options;
  return { ...rest, names: request.columns };
}
