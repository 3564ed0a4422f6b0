import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SQLiteValue } from 'node-sqlite3-wasm';
import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import { compiledFile } from '../../core/package.js';
import type { Run } from '../../core/run.js';
import { copyConsistently } from './copy.js';
import type { ReadChunk, ReadRequest } from './reader.js';
import type { Reply, Request } from './worker.js';

/** A column as a query gives it: its name, and the type that the table declares, '' for an expression. */
export interface SqliteColumn {
  readonly name: string;
  readonly type: string;
}

/** A request without its number. */
type Asked = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

interface Waiting {
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Chunks that the thread may have ready before they are asked for. */
const AHEAD = 2;

/**
 * One state of an SQLite file, copied to scratch and open there in a thread of its own. Reading never blocks, or is
 * blocked by, an application that has the original open. Errors are those of `sqliteError`.
 */
export class SqliteFile {
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #over: SluiceError | undefined;

  private constructor(
    /** The original, as messages name it. */
    readonly path: string,
    readonly copy: string,
    readonly worker: Worker,
  ) {
    worker.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('result' in reply) waiting?.resolve(reply.result);
      else waiting?.reject(errorOf(reply.error));
    });
    worker.on('error', (error) => this.#end(broken(path, error)));
    worker.on('exit', () => this.#end(broken(path, new Error('its thread ended'))));
  }

  /**
   * Copies the database at `path` into the folder `scratch` and opens the copy. The caller closes it. Throws what
   * `copyConsistently` throws, and failed `corrupt_database`.
   */
  static async open(path: string, scratch: string, signal: AbortSignal): Promise<SqliteFile> {
    const copy = join(scratch, `${randomBytes(4).toString('hex')}-${basename(path)}`);
    let file: SqliteFile | undefined;
    try {
      await copyConsistently(path, copy, { signal });
      const worker = new Worker(compiledFile('src', 'sources', 'sqlite', 'worker.js'), {
        workerData: { path, copy },
        // What the process was started with (--eval, say) is not meant for a thread.
        execArgv: [],
      });
      file = new SqliteFile(path, copy, worker);
      await file.tables();
      return file;
    } catch (error) {
      await (file?.close() ?? removeCopy(copy));
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

  /** Runs one statement whose rows nobody wants. */
  async run(sql: string): Promise<void> {
    await this.#ask({ do: 'run', sql });
  }

  /** All rows of a statement, which must be few; integers beyond 2^53 are bigint. */
  async all(sql: string): Promise<Readonly<Record<string, SQLiteValue>>[]> {
    return (await this.#ask({ do: 'all', sql })) as Readonly<Record<string, SQLiteValue>>[];
  }

  /** The tables of the application, by name. */
  async tables(): Promise<string[]> {
    const rows = await this.all(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    );
    return rows.map((row) => String(row.name));
  }

  /**
   * The columns of a query, asked without running it, in order. A name that is given twice comes with `:1` behind
   * it the second time.
   */
  async columns(sql: string): Promise<SqliteColumn[]> {
    return (await this.#ask({ do: 'columns', sql })) as SqliteColumn[];
  }

  /** The rows of a statement as bytes, some chunks ahead of the reader. */
  async *read(request: ReadRequest): AsyncGenerator<ReadChunk, void> {
    const reader = (await this.#ask({ do: 'open', read: request })) as number;
    const next = () => {
      const chunk = this.#ask({ do: 'next', reader }) as Promise<ReadChunk>;
      chunk.catch(() => {});
      return chunk;
    };
    const ahead = Array.from({ length: AHEAD }, next);
    let done = false;
    try {
      while (!done) {
        const chunk = await (ahead.shift() as Promise<ReadChunk>);
        done = chunk.done;
        if (!done) ahead.push(next());
        yield chunk;
      }
    } finally {
      await Promise.allSettled(ahead);
      await this.#ask({ do: 'end', reader }).catch(() => {});
    }
  }

  /** Ends the thread and removes the copy. May be called again. */
  async close(): Promise<void> {
    this.#end(broken(this.path, new Error('it is closed')));
    await this.worker.terminate();
    await removeCopy(this.copy);
  }

  #ask(asked: Asked): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...asked });
    });
  }

  #end(why: SluiceError): void {
    this.#over ??= why;
    for (const { reject } of this.#waiting.values()) reject(why);
    this.#waiting.clear();
  }
}

function errorOf({ kind, code, message, facts }: Extract<Reply, { error: unknown }>['error']): SluiceError {
  return new SluiceError(kind, code, message, facts);
}

function broken(path: string, error: Error): SluiceError {
  return sqliteErrors.sqlite_thread({ path, why: error.message }, { cause: error });
}

async function removeCopy(copy: string): Promise<void> {
  // The library's lock is a folder beside the file.
  for (const suffix of ['', '-wal', '-journal', '-shm', '.lock'])
    await rm(`${copy}${suffix}`, { force: true, recursive: true });
}
