import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { SluiceError } from '../core/errors/sluice-error.js';
import type { AnyRow, Row } from '../core/row.js';
import type { Database } from '../core/run.js';
import type { Address } from './address.js';
import { backendOf } from './backend.js';
import { backoff } from './backoff.js';
import { bytesOf, endWithin, isSilence, isTransient } from './client.js';
import { connectionError } from './connection-error.js';
import { Dialer } from './dialer.js';
import { cutOff, HURRIED_TIMING, noAnswer, TIMING, type Timing, whileHeard, within } from './network.js';
import { type Patience, patienceUntil } from './patience.js';
import { PINNED, PINNED_BESIDE_CODE, type Settings } from './pinned.js';
import { rowSecurityError } from './row-security.js';
import { isConnectionLoss } from './server-error.js';
import { ASK_PATH, besides, OUR_PATH_STATEMENT, type UsersPath } from './users-path.js';
import { Watchdog } from './watchdog.js';

/** How long a server may take to start. */
const START_MS = 3_000;
/** How long a session that may be broken may take to say that it is not. */
const ROLLBACK_MS = 700;

/**
 * What becomes of a session when the run is to stop: one that decides what live is (a publish) is only ever cancelled, so
 * that its outcome is known.
 */
export type Stopped = 'ended' | 'cancelled';

/** A run's database: a shared session for short statements, sessions of their own for long work. */
export class PgDatabase implements Database {
  #shared: Promise<pg.Client> | undefined;
  #holder: Promise<{ readonly client: pg.Client; readonly snapshot: string }> | undefined;
  #usersPath: UsersPath | undefined;
  #borrowed: (() => Promise<string>) | undefined;
  /** Each with what may be done to it when the run is to stop. */
  readonly #open = new Map<pg.Client, Stopped>();
  #closed = false;
  /** Somebody has been answered here before. */
  #connected = false;
  /** Aborted when the run is to stop: nothing is waited for. */
  readonly #stop = new AbortController();
  /** How long whoever waits for others with a session of it has: handed to them. */
  readonly patience: Patience = patienceUntil(this.#stop.signal);
  /** Nobody answered when the run was to stop: nothing more is asked of the server. */
  #silent = false;
  /** Its statements are stopped by somebody who knows when they may not be stopped any more: others leave that alone. */
  stoppedWithCare = false;
  #turn: Promise<void> = Promise.resolve();
  #timing: Timing;
  readonly #watchdog: Watchdog;
  readonly #dialer: Dialer;
  readonly #owner: string;

  /** `owner`: whose its sessions are, which their names say before what each is for. */
  constructor(address: Address, timing: Timing = TIMING, from?: PgDatabase, owner?: string) {
    this.#owner = owner ?? (from === undefined ? '' : from.#owner);
    this.#dialer = new Dialer(address, from === undefined ? undefined : from.#dialer);
    this.#timing = timing;
    this.#usersPath = from === undefined ? undefined : from.#usersPath;
    this.#watchdog = new Watchdog((...asked) => this.#ask('watchdog', ...asked), timing);
  }

  /** Where it is; of several servers the one that is connected to, once one is. */
  get address(): Address {
    return this.#dialer.address;
  }

  /** Told once, of a connection that leaves this machine unencrypted: where it leads to. */
  onReadable(tell: (described: string) => void): void {
    this.#dialer.onReadable = tell;
  }

  get #hurried(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The same database by sessions of its own, which is as patient as this one. `owner`: as for the constructor. */
  sibling(owner?: string): PgDatabase {
    const other = new PgDatabase(this.address, this.#timing, this, owner);
    if (this.#hurried) other.hurry(this.patience.stopped.reason);
    return other;
  }

  /** Throws refused `row_security` where the server refuses to leave rows out. */
  async query<T extends AnyRow = Row>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
    const client = await this.session();
    try {
      return (await this.inTurn(() => client.query(sql, parameters as unknown[]))).rows as T[];
    } catch (error) {
      throw await rowSecurityError(error, (...asked) => rowsOf(client, ...asked));
    }
  }

  /** `work` on the shared session: flows that run at once share it, and it takes one statement after the other. */
  async inTurn<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.session();
    const result = this.#turn.then(() => work(client));
    this.#turn = result.then(
      () => {},
      () => {},
    );
    return result;
  }

  /** The search_path that the user has here. */
  async usersPath(): Promise<UsersPath> {
    if (this.#usersPath === undefined) await this.session();
    return this.#usersPath as UsersPath;
  }

  /** The shared session itself, for work that needs several statements in it. */
  async session(): Promise<pg.Client> {
    this.#shared ??= this.#control();
    return this.#shared;
  }

  /** The first one is asked for the user's path before it is given ours: another session would take longer than a load of little. */
  async #control(): Promise<pg.Client> {
    const { search_path: _, ...asGiven } = PINNED;
    const known = this.#usersPath !== undefined;
    const client = await this.connect('control', known ? PINNED : asGiven);
    if (!known) {
      // In one message: nothing comes between them.
      const [asked] = (await client.query(`${ASK_PATH}; ${OUR_PATH_STATEMENT}`)) as unknown as [
        pg.QueryResult,
      ];
      this.#usersPath = asked.rows[0] as UsersPath;
    }
    return withRoom(client);
  }

  /**
   * A session of its own. A server that is starting, or has no connection left, is asked again for some
   * seconds; one that has been connected to is, too, where it does not answer (a restart). It has the settings of
   * `pinned` from its first moment on, is watched, and its goodbye is bounded. Throws `no_connection`.
   */
  async connect(purpose: string, pinned: Settings = PINNED, stopped: Stopped = 'ended'): Promise<pg.Client> {
    return this.#connect(purpose, pinned, true, stopped);
  }

  /** The same for work that can do without one: undefined where server, database or role have none left now. */
  async spare(
    purpose: string,
    pinned: Settings = PINNED,
    stopped: Stopped = 'ended',
  ): Promise<pg.Client | undefined> {
    return this.#connect(purpose, pinned, false, stopped).catch((error: SluiceError) => {
      if (error.facts?.sqlstate === '53300') return undefined;
      throw error;
    });
  }

  async #connect(purpose: string, pinned: Settings, patient: boolean, stopped: Stopped): Promise<pg.Client> {
    const settings = pinned === PINNED_BESIDE_CODE ? besides(pinned, await this.usersPath()) : pinned;
    if (this.#silent) throw connectionError(noAnswer('no answer'), this.address);
    const until = Date.now() + (this.#connected ? this.#timing.returnMs : START_MS);
    for (let attempt = 1; ; attempt++) {
      try {
        const { connectMs } = this.#timing;
        const hurried = this.#hurried ? connectMs : undefined;
        const client = await this.#dialer.open(this.#called(purpose), connectMs, settings, hurried);
        await this.#dialer.assertOwn(client, this.#open.keys(), connectMs);
        endWithin(client, () => this.#timing.goodbyeMs);
        // Somebody who waited for it has given up meanwhile, and nobody else would end it.
        if (this.#closed) {
          cutOff(client);
          throw new Error('the database is closed');
        }
        this.#connected = true;
        this.#open.set(client, stopped);
        this.#watchdog.watch(client);
        client.once('end', () => this.#open.delete(client));
        return client;
      } catch (error) {
        const again = (patient && isTransient(error)) || (this.#connected && isConnectionLoss(error));
        const wait = backoff(attempt + 1, 100, 1_000);
        if (!again || this.#hurried || this.#closed || Date.now() + wait > until)
          throw connectionError(error, this.address);
        await sleep(wait);
      }
    }
  }

  /**
   * Asks the server to cancel what our sessions run, or to end the sessions, but for those that are only ever
   * cancelled. Does not throw; where the server cannot be asked, sessions to be ended are cut off. `why`: as for `hurry`.
   */
  async stop(how: 'cancel' | 'end', why?: unknown): Promise<void> {
    this.hurry(why);
    const ours = [...this.#open].filter(([, stopped]) => how === 'cancel' || stopped === 'ended');
    const pids = ours.map(([client]) => backendOf(client)?.pid ?? 0);
    const ask = how === 'cancel' ? 'pg_cancel_backend' : 'pg_terminate_backend';
    // Where the server is gone, or full, what follows is all that can be done. Before the first session there is nothing to stop.
    if (!this.#silent && this.#connected)
      await this.#ask('stop', `SELECT pg_catalog.${ask}(pid) FROM unnest($1::pg_catalog.int4[]) AS pid`, [
        pids,
      ]).catch((error: unknown) => {
        this.#silent = isSilence(error);
      });
    if (how === 'end') for (const [client] of ours) cutOff(client);
  }

  /** From now on nothing is waited for: neither a server that is not there, nor for long a lock. `why`: what is said of it. */
  hurry(why?: unknown): void {
    if (this.#hurried) return;
    this.#timing = HURRIED_TIMING;
    this.#watchdog.timing = HURRIED_TIMING;
    this.#stop.abort(why);
    const begun = this.#dialer.underWay();
    setTimeout(() => this.#dialer.giveUp(begun), HURRIED_TIMING.connectMs).unref();
  }

  #called(purpose: string): string {
    return ['sluice', this.#owner, purpose].filter(Boolean).join(' ');
  }

  /** One statement in a session of its own, which is closed whatever comes of it, and however late. */
  async #ask(
    purpose: string,
    sql: string,
    parameters: readonly unknown[],
    ms = this.#timing.connectMs,
  ): Promise<object[]> {
    const client = await this.#dialer.open(this.#called(purpose), ms, PINNED, ms);
    try {
      if (this.#closed) return [];
      return await whileHeard(rowsOf(client, sql, parameters), () => bytesOf(client), ms);
    } finally {
      cutOff(client);
    }
  }

  /**
   * Makes the shared session usable again after a failure: out of any transaction, and a new one where the
   * old is lost or does not answer. What the old one held (locks, settings) is gone with it.
   */
  async recover(): Promise<void> {
    const shared = this.#shared;
    if (shared === undefined) return;
    try {
      if (this.#silent) throw new Error('nobody answers');
      await within(
        shared.then((client) => client.query('ROLLBACK')),
        ROLLBACK_MS,
      );
    } catch {
      this.#shared = undefined;
      this.#turn = Promise.resolve();
      await shared.then(cutOff, () => {});
    }
  }

  /** One snapshot for every reader of the run, exported by a transaction that `close` ends. */
  async snapshot(): Promise<string> {
    if (this.#borrowed !== undefined) return this.#borrowed();
    this.#holder ??= this.#export();
    return (await this.#holder).snapshot;
  }

  /** A pool for a library that wants one, to be ended by whoever asks; undefined where a pooler in between takes no settings. */
  async pool(purpose: string, size: number): Promise<pg.Pool | undefined> {
    await this.session();
    return this.#dialer.pool(this.#called(purpose), size);
  }

  /** From now on its readers share a snapshot of somebody else's, who holds it: `ask` gives its id. */
  borrowSnapshot(ask: () => Promise<string>): void {
    this.#borrowed = ask;
  }

  async #export(): Promise<{ client: pg.Client; snapshot: string }> {
    const client = await this.connect('snapshot');
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    const result = await client.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
    return { client, snapshot: (result.rows[0] as { snapshot: string }).snapshot };
  }

  /** Ends the snapshot: an old one keeps the server from cleaning up, so not a moment longer than needed. */
  async endSnapshot(): Promise<void> {
    const holder = this.#holder;
    this.#holder = undefined;
    if (holder !== undefined) await (await holder).client.end().catch(() => {});
  }

  /**
   * Ends every session that is still open, or on its way to be: one that nobody ends would keep the process
   * from ending.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watchdog.stop();
    this.#dialer.giveUp();
    await Promise.all([...this.#open.keys()].map((client) => client.end()));
  }
}

async function rowsOf(client: pg.Client, sql: string, parameters: readonly unknown[]): Promise<object[]> {
  return (await client.query(sql, parameters as unknown[])).rows;
}

/**
 * With the default of 64 MB no more than two processes build an index. Settings that plans depend on (work_mem)
 * stay what the role has: with more of it the server takes sorts and hash tables to be cheap and leaves plans that read
 * in an index's order, and what fits into memory is no faster than what is sorted in pieces that fit into the caches.
 */
const ROOM = `SELECT pg_catalog.set_config('maintenance_work_mem', '256MB', false)
  WHERE pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) OPERATOR(pg_catalog.<) 268435456`;

/** Gives a session memory for building indexes, where the server's settings give less; gives it back. */
export async function withRoom(client: pg.Client): Promise<pg.Client> {
  await client.query(ROOM);
  return client;
}
