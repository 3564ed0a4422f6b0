import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import library, { type Database } from 'node-sqlite3-wasm';
import { tempFolder } from './files.js';

/** An SQLite database in a folder of its own, made by these statements; the path. */
export function sqliteFile(t: TestContext, sql: string, name = 'app.db'): string {
  const path = join(tempFolder(t), name);
  const database = new library.Database(path);
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
  return path;
}

/** A database that an application has open: `work` is done and the connection stays until the test's end. */
export function openSqlite(t: TestContext, work: (database: Database) => void, name = 'app.db'): string {
  const path = join(tempFolder(t), name);
  const database = new library.Database(path);
  // The library has no shared memory: WAL works in this mode only.
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  t.after(() => database.close());
  work(database);
  return path;
}

/** The files of a database as they lie on disk at this moment, as a crash would leave them, in another folder. */
export function asCrashed(t: TestContext, path: string): string {
  const to = join(tempFolder(t), 'crashed.db');
  for (const suffix of ['', '-wal', '-journal'])
    if (existsSync(`${path}${suffix}`)) copyFileSync(`${path}${suffix}`, `${to}${suffix}`);
  return to;
}
