import { parentPort, workerData } from 'node:worker_threads';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { sqliteError } from './faults.js';
import { openCopy } from './open-copy.js';
import { Reader, type ReadRequest } from './reader.js';

/**
 * The thread that has an SQLite copy open: the library computes without ever waiting, and beside it the rest of the
 * run goes on. Answers every request in the order in which they come.
 */

/** What the thread is asked. */
export type Request =
  | { readonly id: number; readonly do: 'all'; readonly sql: string }
  | { readonly id: number; readonly do: 'run'; readonly sql: string }
  | { readonly id: number; readonly do: 'columns'; readonly sql: string }
  | { readonly id: number; readonly do: 'open'; readonly read: ReadRequest }
  | { readonly id: number; readonly do: 'next'; readonly reader: number }
  | { readonly id: number; readonly do: 'end'; readonly reader: number };

/** An error that has crossed a thread. */
type Told = Pick<SluiceError, 'kind' | 'code' | 'message' | 'facts'>;

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Told };

const { path, copy } = workerData as { readonly path: string; readonly copy: string };
const readers = new Map<number, Reader>();
let database: ReturnType<typeof openCopy> | undefined;
let views = 0;

parentPort?.on('message', (request: Request) => {
  try {
    database ??= openCopy(copy);
    const result = answer(request, database);
    const { buffer } = (result ?? {}) as { buffer?: Uint8Array };
    const moved = buffer === undefined ? [] : [buffer.buffer as ArrayBuffer];
    parentPort?.postMessage({ id: request.id, result } satisfies Reply, moved);
  } catch (error) {
    const asked = { path, database: { all: (sql: string) => database?.all(sql) ?? [] } };
    const { kind, code, message, facts } = sqliteError(error, asked);
    const { cause, ...plain } = facts;
    parentPort?.postMessage({
      id: request.id,
      error: { kind, code, message, facts: { ...plain, cause: String(cause) } },
    } satisfies Reply);
  }
});

function answer(request: Request, on: NonNullable<typeof database>): unknown {
  switch (request.do) {
    case 'all':
      return on.all(request.sql);
    case 'run':
      return void on.run(request.sql);
    case 'columns':
      return columns(request.sql, on);
    case 'open':
      readers.set(request.id, new Reader(on, request.read));
      return request.id;
    case 'next':
      return readers.get(request.reader)?.next();
    case 'end':
      readers.get(request.reader)?.end();
      readers.delete(request.reader);
      return undefined;
  }
}

/** A view knows the declared types of its columns. */
function columns(sql: string, on: NonNullable<typeof database>): { name: string; type: string }[] {
  const view = `sluice_${++views}`;
  on.run(`CREATE TEMP VIEW ${view} AS ${sql}\n`);
  try {
    return on.all(`PRAGMA temp.table_info(${view})`).map((row) => {
      const { name, type } = row as Record<string, unknown>;
      return { name: String(name), type: String(type ?? '') };
    });
  } finally {
    on.run(`DROP VIEW temp.${view}`);
  }
}
