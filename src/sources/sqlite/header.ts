import { type FileHandle, open } from 'node:fs/promises';
import { shellWord } from '../../core/command.js';
import { failed, usage } from '../../core/errors/author.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';

/** The first bytes of every SQLite database: https://www.sqlite.org/fileformat2.html#the_database_header */
const MAGIC = 'SQLite format 3\0';
/** The database header, and the longest of the headers that are looked at. */
export const HEADER_BYTES = 100;

/** Names that mean an SQLite file before anybody has looked inside. */
const NAMES = /\.(db|db3|sqlite|sqlite3|s3db)$/i;

/** Whether a file's name says that it is an SQLite database. */
export const isSqliteName = (path: string): boolean => NAMES.test(path);

/** Whether the file at `path` begins as an SQLite database does; false for what cannot be read. */
export async function isSqliteFile(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    // A FIFO or a device must not be asked for its first bytes: they would be gone.
    if (!(await file.stat()).isFile()) return false;
    return isMagic(await head(file));
  } catch {
    return false;
  } finally {
    await file.close();
  }
}

/** The first bytes of an open file; fewer where it is shorter. */
export async function head(file: FileHandle, bytes = HEADER_BYTES): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, 0);
  return buffer.subarray(0, bytesRead);
}

const isMagic = (first: Buffer) => first.subarray(0, MAGIC.length).toString('latin1') === MAGIC;

/** What is wrong with a file that begins with these bytes; undefined where it begins as a database does. */
export function notDatabase(path: string, first: Buffer): SluiceError | undefined {
  if (isMagic(first)) return undefined;
  const facts = { input: path, state: 'nothing was read or written' };
  if (first.length === 0)
    return failed('empty_file', `${path} is empty: no SQLite database, not even one without tables`, {
      ...facts,
      next: 'check the path: an application that opens a wrong name leaves an empty file behind',
    });
  if (first[0] === 0x1f && first[1] === 0x8b)
    return usage('not_sqlite', `${path} is gzip, and an SQLite database can only be read unpacked`, {
      ...facts,
      next: `gunzip -k ${shellWord(path)}   (then name the file that it makes)`,
    });
  if (isText(first))
    return usage('not_sqlite', `${path} is not an SQLite database: it begins with text`, {
      ...facts,
      details: [`it begins with ${JSON.stringify(first.toString('utf8').slice(0, 40))}`],
      next: 'is it an export (CSV, JSON)? give it a name that ends in .csv or .json; a dump (.sql): sqlite3 app.db < dump.sql',
    });
  return failed('not_sqlite', `${path} is not an SQLite database, or it is an encrypted one`, {
    ...facts,
    next: [
      'an encrypted one (SQLCipher, SEE): export it unencrypted with the tool and key of the application, and name that file',
      "in SQLCipher: ATTACH 'plain.db' AS plain KEY ''; SELECT sqlcipher_export('plain'); DETACH plain;",
    ],
  });
}

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte !== 127));
}
