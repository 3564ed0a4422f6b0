import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Row } from '../core/row.js';
import type { Database } from '../core/run.js';
import type { Address } from './address.js';
import { connectionError } from './connection-error.js';
import { hurry } from './hurry.js';
import { withLedgerText } from './ledger-text.js';
import { firstStatements, PINNED, PINNED_BESIDE_CODE, type Settings, startupOptions } from './pinned.js';
import { rowSecurityError } from './row-security.js';
import { assertSupported, told, unknownSetting } from './server-version.js';
import { ASK_PATH, besides, type UsersPath } from './users-path.js';

/** How long a server may take to start, and to come back after it was lost. */
const START_MS = 3_000;
const RETURN_MS = 10_000;
/** How long a session that is given up may take to answer. */
const GOODBYE_MS = 700;

/** `promise`, or an error after `milliseconds`. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a session's socket without a goodbye: the server's process ends when it notices. */
export function cutOff(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

const codeOf = (error: unknown) => (error as { code?: string } | undefined)?.code ?? '';

/** The server is starting or stopping, or has no connection left. */
const isTransient = (error: unknown) => ['57P03', '53300'].includes(codeOf(error));

/** Nobody answers, or somebody hangs up. */
const isAbsent = (error: unknown) =>
  ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02'].includes(codeOf(error)) ||
  /^Connection terminated/.test((error as Error | undefined)?.message ?? '');

/** A run's database: a shared session for short statements, sessions of their own for long work. */
export class PgDatabase implements Database {
  #shared: Promise<pg.Client> | undefined;
  #holder: Promise<{ readonly client: pg.Client; readonly snapshot: string }> | undefined;
  #usersPath: Promise<UsersPath> | undefined;
  readonly #open = new Map<pg.Client, string>();
  /** Sessions that the server has not let in yet. */
  readonly #connecting = new Set<pg.Client>();
  #closed = false;
  /** Somebody has been answered here before. */
  #connected = false;
  /** The run is to stop: nothing is waited for. */
  #hurried = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(readonly address: Address) {}

  /** Throws refused `row_security` where the server refuses to leave rows out. */
  async query<T extends Row = Row>(sql: string, parameters: readonly unknown[] = []): Promise<T[]> {
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

  /** The search_path that the user has here; asked once, in a short session that is not given ours. */
  usersPath(): Promise<UsersPath> {
    this.#usersPath ??= this.#askPath().catch((error: unknown) => {
      this.#usersPath = undefined;
      throw error;
    });
    return this.#usersPath;
  }

  async #askPath(): Promise<UsersPath> {
    const { search_path: _, ...asGiven } = PINNED;
    const client = await this.connect('search_path', asGiven);
    try {
      return (await client.query<UsersPath>(ASK_PATH)).rows[0] as UsersPath;
    } finally {
      await client.end().catch(() => {});
    }
  }

  /** The shared session itself, for work that needs several statements in it. */
  async session(): Promise<pg.Client> {
    this.#shared ??= this.connect('control').then(withRoom);
    return this.#shared;
  }

  /**
   * A session of its own. A server that is starting, or has no connection left, is asked again for some
   * seconds; one that has been connected to is, too, where it does not answer (a restart). It has the settings of
   * `pinned` from its first moment on. Throws `no_connection`.
   */
  async connect(purpose: string, pinned: Settings = PINNED): Promise<pg.Client> {
    const settings = pinned === PINNED_BESIDE_CODE ? besides(pinned, await this.usersPath()) : pinned;
    const until = Date.now() + (this.#connected ? RETURN_MS : START_MS);
    for (let wait = 100; ; wait = Math.min(2 * wait, 1_000)) {
      try {
        const client = await this.#connectOnce(`sluice ${purpose}`, settings);
        // Somebody who waited for it has given up meanwhile, and nobody else would end it.
        if (this.#closed) {
          cutOff(client);
          throw new Error('the database is closed');
        }
        this.#connected = true;
        if (this.#hurried) hurry(client);
        this.#open.set(client, purpose);
        client.once('end', () => this.#open.delete(client));
        return client;
      } catch (error) {
        const again = isTransient(error) || (this.#connected && isAbsent(error));
        if (!again || this.#hurried || this.#closed || Date.now() + wait > until)
          throw connectionError(error, this.address);
        await sleep(wait / 2 + Math.random() * (wait / 2));
      }
    }
  }

  async #connectOnce(name: string, pinned = PINNED): Promise<pg.Client> {
    const client = new pg.Client({
      ...(this.address.url === undefined ? {} : { connectionString: this.address.url }),
      application_name: name.slice(0, 63),
      keepAlive: true,
      connectionTimeoutMillis: 15_000,
    });
    // What the URL says wins over what the constructor is given, and PGOPTIONS counts only where neither says anything.
    const { connectionParameters } = client as unknown as { connectionParameters: { options?: string } };
    connectionParameters.options = startupOptions(connectionParameters.options, pinned);
    // A session that is lost while idle reports it here; whoever uses it next gets the error.
    client.on('error', () => {});
    const said = told(client);
    this.#connecting.add(client);
    try {
      await client.connect().catch(async (error) => {
        throw await unknownSetting(error, this.address);
      });
      assertSupported(said, this.address);
      for (const sql of firstStatements(Number.parseInt(said('server_version') ?? '0', 10)))
        await client.query(sql);
    } catch (error) {
      // Nobody else would end it.
      cutOff(client);
      throw error;
    } finally {
      this.#connecting.delete(client);
    }
    withLedgerText(client, said('server_encoding') ?? 'UTF8');
    return client;
  }

  /**
   * Asks the server to cancel what our sessions run, or to end the sessions, but for a publish, which is
   * only ever cancelled. Does not throw; where the server cannot be asked, sessions to be ended are cut off.
   */
  async stop(how: 'cancel' | 'end'): Promise<void> {
    this.hurry();
    const ours = [...this.#open].filter(([, purpose]) => how === 'cancel' || !/publish/.test(purpose));
    const pids = ours.map(([client]) => (client as unknown as { processID: number | null }).processID);
    const ask = how === 'cancel' ? 'pg_cancel_backend' : 'pg_terminate_backend';
    // Where the server is gone, or full, what follows is all that can be done.
    await within(this.#ask(`SELECT ${ask}(pid) FROM unnest($1::int[]) AS pid`, [pids]), 2 * GOODBYE_MS).catch(
      () => {},
    );
    if (how === 'end') for (const [client] of ours) cutOff(client);
  }

  /** From now on nothing is waited for: neither a server that is not there, nor for long a lock. */
  hurry(): void {
    this.#hurried = true;
    for (const client of this.#open.keys()) hurry(client);
  }

  /** One statement in a session of its own, which is closed whatever comes of it, and however late. */
  async #ask(sql: string, parameters: readonly unknown[]): Promise<void> {
    const client = await this.#connectOnce('sluice stop');
    try {
      if (!this.#closed) await within(client.query(sql, parameters as unknown[]), GOODBYE_MS);
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
      await within(
        shared.then((client) => client.query('ROLLBACK')),
        GOODBYE_MS,
      );
    } catch {
      this.#shared = undefined;
      this.#turn = Promise.resolve();
      await shared.then(cutOff, () => {});
    }
  }

  /** One snapshot for every reader of the run, exported by a transaction that `close` ends. */
  async snapshot(): Promise<string> {
    this.#holder ??= this.#export();
    return (await this.#holder).snapshot;
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
    for (const client of this.#connecting) cutOff(client);
    const ends = [...this.#open.keys()].map((client) =>
      within(client.end(), GOODBYE_MS).catch(() => cutOff(client)),
    );
    await Promise.all(ends);
  }
}

async function rowsOf(client: pg.Client, sql: string, parameters: readonly unknown[]): Promise<object[]> {
  return (await client.query(sql, parameters as unknown[])).rows;
}

/** In kB. Defaults of 4 and 64 MB send the sorts of a validation or an index of millions of rows to disk. */
const ROOM = `SELECT pg_catalog.set_config(s.name, w.kb OPERATOR(pg_catalog.||) 'kB', false)
  FROM (VALUES ('work_mem', 131072), ('maintenance_work_mem', 262144)) AS w (name, kb)
  JOIN pg_catalog.pg_settings s ON s.name OPERATOR(pg_catalog.=) w.name WHERE s.setting::bigint OPERATOR(pg_catalog.<) w.kb`;

/** Gives a session memory for sorting large tables, where the server's settings give less; gives it back. */
export async function withRoom(client: pg.Client): Promise<pg.Client> {
  await client.query(ROOM);
  return client;
}
