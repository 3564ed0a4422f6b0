import type pg from 'pg';
import { type Address, connectionAt } from './address.js';
import { backendOf } from './backend.js';
import { begin, bytesOf } from './client.js';
import { clientFor, GivenUpError, goesOn, isReadable, poolFor, type Way, waysOf } from './dial.js';
import { withLedgerText } from './ledger-text.js';
import { type Connection, describe } from './libpq/resolve.js';
import { cutOff, KEEPALIVES, whileHeard, within } from './network.js';
import { PINNED, type Settings } from './pinned.js';
import { haveOwnProcesses, optionsLost, pooled, refusesOptions } from './pooler.js';
import { told, unknownSetting } from './server-version.js';

/** Opens sessions on one database, all of the same server by the same way: the first that has worked. */
export class Dialer {
  /** Told once, of a connection that leaves this machine unencrypted: where it leads to. */
  onReadable: ((described: string) => void) | undefined;
  /** Sessions that the server has not let in yet. */
  readonly #connecting = new Set<pg.Client>();
  #address: Address;
  #way: Way | undefined;
  /** A pooler is in between that takes no options at the start. */
  #optionless = false;
  /** Whether the pooler in between has been seen to give each session a process of its own. */
  #own = false;

  /** `from`: another one, whose way is gone. */
  constructor(address: Address, from?: Dialer) {
    this.#address = address;
    if (from === undefined) return;
    this.#way = from.#way;
    this.#optionless = from.#optionless;
    this.#own = from.#own;
  }

  /** Of several servers the one that is connected to, once one is. */
  get address(): Address {
    return this.#address;
  }

  /**
   * A session with the settings of `pinned` from its first moment on, within `usualMs` for each server, or what connect_timeout
   * says; `ms`: within that whatever it says.
   */
  async open(name: string, usualMs: number, pinned: Settings = PINNED, ms?: number): Promise<pg.Client> {
    const connection = connectionAt(this.#address);
    const each = ms ?? (connection.connectMs > 0 ? connection.connectMs : usualMs);
    const ways = this.#way === undefined ? waysOf(connection) : [this.#way];
    for (let way = ways.shift(); ; ) {
      try {
        const client = await this.#login(connection, way as Way, name, { ...KEEPALIVES, ...pinned }, each);
        this.#found(connection, way as Way, client);
        return client;
      } catch (error) {
        const failed = way as Way;
        while (ways.length > 0 && !goesOn(error, failed, ways[0] as Way)) ways.shift();
        way = ways.shift();
        if (way === undefined) throw error;
      }
    }
  }

  /** A pool of such sessions, for a library that wants one; undefined where none was opened yet, or a pooler takes no settings. */
  pool(name: string, size: number): pg.Pool | undefined {
    if (this.#way === undefined || this.#optionless) return undefined;
    return poolFor(connectionAt(this.#address), this.#way, name, { ...KEEPALIVES, ...PINNED }, size);
  }

  async #login(
    connection: Connection,
    way: Way,
    name: string,
    settings: Settings,
    ms: number,
  ): Promise<pg.Client> {
    const given = connection.options;
    const client = clientFor(connection, way, name, this.#optionless ? undefined : settings);
    const said = told(client);
    this.#connecting.add(client);
    try {
      await whileHeard(
        begin(client, said, this.#address, settings, connection.primary),
        () => bytesOf(client),
        ms,
      );
    } catch (error) {
      cutOff(client);
      if (!this.#connecting.has(client)) throw new GivenUpError('nobody waits for the session any more');
      if (this.#optionless || !refusesOptions(error))
        throw await unknownSetting(error, this.#address, () => clientFor(connection, way, name, undefined));
      if (given !== undefined) throw optionsLost(this.#address);
      this.#optionless = true;
      return await this.#login(connection, way, name, settings, ms);
    } finally {
      this.#connecting.delete(client);
    }
    withLedgerText(client, said('server_encoding') ?? 'UTF8');
    return client;
  }

  /** All sessions are of the server that has been found first, and it is said which that is. */
  #found(connection: Connection, way: Way, client: pg.Client): void {
    if (this.#way !== undefined) return;
    this.#way = way;
    if (connection.places.length > 1)
      this.#address = { ...this.#address, described: describe(connection, way.place) };
    if (isReadable(client)) this.onReadable?.(this.#address.described);
  }

  /** Throws `pooled` where a pooler is in between that gives the session's process to others, `open` among them. */
  async assertOwn(client: pg.Client, open: Iterable<pg.Client>, ms: number): Promise<void> {
    const backend = backendOf(client);
    let own = ![...open].some((other) => {
      const of = backendOf(other);
      return of?.pid === backend?.pid && of?.started === backend?.started;
    });
    if (own && !this.#own && backend?.name !== undefined) {
      const other = await this.open('sluice pooler', ms);
      own = await within(haveOwnProcesses(client, other), ms).finally(() => cutOff(other));
    }
    this.#own = own;
    if (own) return;
    cutOff(client);
    throw pooled(this.#address);
  }

  /** Gives up those that are on their way (only `these`, where they still are). */
  giveUp(these: Iterable<pg.Client> = this.#connecting): void {
    for (const client of [...these]) if (this.#connecting.delete(client)) cutOff(client);
  }

  /** Those that are on their way. */
  underWay(): pg.Client[] {
    return [...this.#connecting];
  }
}
