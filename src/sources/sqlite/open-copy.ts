import library, { type Database } from 'node-sqlite3-wasm';

/**
 * Opens a private copy. The library has no shared memory, without which a WAL database opens in exclusive mode only:
 * here uncheckpointed pages come in, and what was not committed is taken back.
 */
export function openCopy(copy: string): Database {
  const database = new library.Database(copy, { fileMustExist: true });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.all('SELECT count(*) FROM sqlite_schema');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
