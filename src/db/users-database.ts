import type { Client } from 'pg';
import type { AnyRow, Row } from '../core/row.js';
import type { Database } from '../core/run.js';
import type { PgDatabase } from './connect.js';
import { cutOff } from './network.js';
import { rowSecurityError } from './row-security.js';
import { noteUsers, OUR_PATH_STATEMENT, pathStatement } from './users-path.js';

/** Gives `work` a session for as long as it takes. */
type InTurn = <T>(work: (client: Client) => Promise<T>) => Promise<T>;

/** `ours` as a pipeline has it: its statements find what they name along the user's search_path. */
export function usersDatabase(ours: PgDatabase): Database {
  return along(ours, (work) => ours.inTurn(work));
}

/** The same with its statements on `client`, a session that has our path, and stays the caller's to end. */
export function usersSession(ours: PgDatabase, client: Client): Database {
  return along(ours, (work) => work(client));
}

function along(ours: PgDatabase, inTurn: InTurn): Database {
  const database: Database = {
    query: async <T extends AnyRow = Row>(sql: string, parameters: readonly unknown[] = []) => {
      const path = await ours.usersPath();
      try {
        return await inTurn(async (client) => {
          await client.query(pathStatement(path.text));
          const result = client.query<T>(sql, parameters as unknown[]);
          return back(client, result).then(({ rows }) => rows);
        });
      } catch (error) {
        throw await rowSecurityError(error, (...asked) => ours.query(...asked));
      }
    },
    connect: async (purpose) => {
      const client = await ours.connect(purpose);
      await client.query(pathStatement((await ours.usersPath()).text));
      return client;
    },
    snapshot: () => ours.snapshot(),
  };
  noteUsers(database, ours);
  return database;
}

/** The answer to a statement of the user's, once the session has our path again; one that cannot have it is no more. */
async function back<T>(client: Client, answer: Promise<T>): Promise<T> {
  const [said] = await Promise.allSettled([answer]);
  const again = await client.query(OUR_PATH_STATEMENT).catch((error: unknown) => ({ error }));
  if ('error' in again) cutOff(client);
  if (said.status === 'rejected') throw said.reason;
  if ('error' in again) throw again.error;
  return said.value;
}
