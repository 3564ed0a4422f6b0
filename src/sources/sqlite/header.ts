import type { FileHandle } from 'node:fs/promises';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';

/** The first bytes of every SQLite database: https://www.sqlite.org/fileformat2.html#the_database_header */
const MAGIC = 'SQLite format 3\0';
/** The database header, and the longest of the headers that are looked at. */
const HEADER_BYTES = 100;

/** Whether a file that begins with these bytes is an SQLite database. */
export const beginsAsSqlite = (first: Buffer): boolean =>
  first.subarray(0, MAGIC.length).toString('latin1') === MAGIC;

/** The first bytes of an open file; fewer where it is shorter. */
export async function head(file: FileHandle, bytes = HEADER_BYTES): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  return buffer.subarray(0, bytesRead);
}

/** What is wrong with a file that begins with these bytes; undefined where it begins as a database does. */
export function notDatabase(path: string, first: Buffer): SluiceError | undefined {
  if (beginsAsSqlite(first)) return undefined;
  if (first.length === 0) return fileErrors.empty_file.sqlite({ path });
  if (first[0] === 0x1f && first[1] === 0x8b) return sqliteErrors.not_sqlite.gzip({ path });
  if (isText(first)) return sqliteErrors.not_sqlite.text({ path, head: first.toString('utf8').slice(0, 40) });
  return sqliteErrors.not_sqlite.other({ path });
}

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127));
}
