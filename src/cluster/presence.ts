import type { Client } from 'pg';
import type { PgDatabase } from '../db/connect.js';
import { cutOff } from '../db/network.js';
import { isConnectionLoss } from '../db/server-error.js';
import { HOST_LOCK } from './dead.js';
import { QUEUE_SCHEMA as S } from './schema.js';

/** Who a worker is, for others. */
interface Who {
  readonly host: string;
  /** The object of its advisory lock. */
  readonly lock: number;
  /** The names of the jobs that it may take. */
  readonly takes: readonly string[];
}

/** That a worker is there: a session that holds its lock, opened again where it was lost, and what is said over it. */
export class Presence {
  #session: Promise<Client> | undefined;

  constructor(
    private readonly database: PgDatabase,
    private readonly who: Who,
  ) {}

  /**
   * Says that it is there, and that what it takes is locked by `pool`, and by no name that it had before; over another
   * session where the one that it had is lost.
   */
  async say(pool: string): Promise<void> {
    const had = this.#session;
    if (had !== undefined && (await this.#lost(had, pool)) === undefined) return;
    this.#session ??= this.#open();
    const lost = await this.#lost(this.#session, pool);
    if (lost !== undefined) throw lost;
  }

  /** Says it; where the session is lost, gives the error that says so, and forgets the session. */
  async #lost(opened: Promise<Client>, pool: string): Promise<Error | undefined> {
    const { host, lock, takes } = this.who;
    const session = await opened.catch((error: unknown) => {
      this.#forget(opened);
      throw error;
    });
    try {
      await session.query(
        `WITH gone AS (DELETE FROM ${S}.sluice_host WHERE lock = $3 AND pool <> $1)
         INSERT INTO ${S}.sluice_host (pool, host, lock, takes, seen_at) VALUES ($1, $2, $3, $4, clock_timestamp())
         ON CONFLICT (pool) DO UPDATE SET seen_at = excluded.seen_at`,
        [pool, host, lock, takes],
      );
      return undefined;
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      cutOff(session);
      this.#forget(opened);
      return error as Error;
    }
  }

  #forget(session: Promise<Client>): void {
    if (this.#session === session) this.#session = undefined;
  }

  /** Ends the session, and with it the lock. */
  async end(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    await session?.end().catch(() => {});
  }

  /** A session with the lock. One that the server still has, though it was lost here, is ended: it would keep the lock. */
  async #open(): Promise<Client> {
    const { lock } = this.who;
    const session = await this.database.connect('presence');
    await session.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
       WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = ${HOST_LOCK} AND l.objid = $1::int::oid
         AND l.database = a.datid AND a.datname = current_database() AND a.usename = CURRENT_USER`,
      [lock],
    );
    await session.query(`SELECT pg_advisory_lock(${HOST_LOCK}, $1)`, [lock]);
    return session;
  }
}
