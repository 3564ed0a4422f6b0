import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { Database, QueryResult, SQLiteValue } from 'node-sqlite3-wasm';
import type { Run } from '../../core/run.js';
import { copyConsistently } from './copy.js';
import { sqliteError } from './faults.js';

/** A cell as the library gives it: integers beyond 2^53 are bigint. */
export type Cell = SQLiteValue;
type Cells = Readonly<Record<string, Cell>>;

/** A column as a query gives it: its name, and the type that the table declares, '' for an expression. */
export interface SqliteColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * One state of an SQLite file, copied to scratch and open there. Reading never blocks, or is blocked by, an application
 * that has the original open. Not for two threads.
 */
export class SqliteFile {
  #views = 0;

  private constructor(
    /** The original, as messages name it. */
    readonly path: string,
    /** The copy. */
    readonly copy: string,
    readonly database: Database,
  ) {}

  /**
   * Copies the database at `path` into the folder `scratch` and opens the copy. The caller closes it. Throws what
   * `copyConsistently` throws, and failed `corrupt_database`.
   */
  static async open(path: string, scratch: string, signal: AbortSignal): Promise<SqliteFile> {
    const copy = join(scratch, `${randomBytes(4).toString('hex')}-${basename(path)}`);
    try {
      await copyConsistently(path, copy, { signal });
      const { Database } = (await import('node-sqlite3-wasm')).default;
      const database = new Database(copy, { fileMustExist: true });
      const file = new SqliteFile(path, copy, database);
      try {
        // The library has no shared memory, without which a WAL database opens in exclusive mode only. The copy
        // is nobody else's: here uncheckpointed pages come in, or what was not committed is taken back.
        file.exec('PRAGMA locking_mode = EXCLUSIVE');
        file.all('SELECT count(*) FROM sqlite_schema');
      } catch (error) {
        database.close();
        throw error;
      }
      return file;
    } catch (error) {
      await removeCopy(copy);
      throw error;
    }
  }

  /** The file of this run, copied once: all sources and questions of a run see one state of it. */
  static shared(path: string, run: Pick<Run, 'share' | 'scratch' | 'signal'>): Promise<SqliteFile> {
    return run.share(
      `sqlite ${resolve(path)}`,
      () => SqliteFile.open(path, run.scratch, run.signal),
      (file) => file.close(),
    );
  }

  /** Runs statements that give no rows. Throws what `sqliteError` makes of it. */
  exec(sql: string): void {
    try {
      this.database.exec(sql);
    } catch (error) {
      throw sqliteError(error, this);
    }
  }

  /** All rows of a statement, which must be few. Throws what `sqliteError` makes of it. */
  all(sql: string): Cells[] {
    try {
      return this.database.all(sql) as QueryResult[] as Cells[];
    } catch (error) {
      throw sqliteError(error, this);
    }
  }

  /** Tables and views of the application, by name. */
  tables(): string[] {
    return this.all(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    ).map((row) => String(row.name));
  }

  /**
   * The columns of a query, asked without running it, in order. A name that is given twice comes with `:1` behind
   * it the second time.
   */
  columns(sql: string): SqliteColumn[] {
    const view = `sluice_${++this.#views}`;
    this.exec(`CREATE TEMP VIEW ${view} AS ${sql}\n`);
    try {
      return this.all(`PRAGMA temp.table_info(${view})`).map((row) => ({
        name: String(row.name),
        type: String(row.type ?? ''),
      }));
    } finally {
      this.exec(`DROP VIEW temp.${view}`);
    }
  }

  /** Closes and removes the copy. */
  async close(): Promise<void> {
    if (this.database.isOpen) this.database.close();
    await removeCopy(this.copy);
  }
}

async function removeCopy(copy: string): Promise<void> {
  // The library's lock is a folder beside the file.
  for (const suffix of ['', '-wal', '-journal', '-shm', '.lock'])
    await rm(`${copy}${suffix}`, { force: true, recursive: true });
}
