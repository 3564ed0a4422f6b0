import fs from 'node:fs';
import library, { type Database } from 'node-sqlite3-wasm';

/**
 * Opens a private copy, in a thread that opens nothing else. The library has no shared memory, without which a WAL
 * database opens in exclusive mode only: here uncheckpointed pages come in, and what was not committed is taken back.
 */
export function openCopy(copy: string): Database {
  hideLock(`${copy}.lock`);
  const database = new library.Database(copy, { fileMustExist: true });
  try {
    database.run('PRAGMA locking_mode = EXCLUSIVE');
    database.all('SELECT count(*) FROM sqlite_schema');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The library's lock is a folder, and it takes its own for another process's when it asks whether the journal of a
 * transaction that was cut off may be rolled back: it never would be, and half of the transaction would be read. Nobody
 * else has the copy, so the answer is that there is no lock.
 */
function hideLock(lock: string): void {
  const { accessSync } = fs;
  fs.accessSync = (path, mode) => {
    if (path === lock) throw Object.assign(new Error(`ENOENT: ${lock}`), { code: 'ENOENT' });
    accessSync(path, mode);
  };
}
