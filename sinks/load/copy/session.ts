import type { Client } from 'pg';
import { noun, plural } from '../../../src/core/plural.js';
import { untilAborted } from '../../../src/core/until-aborted.js';
import { cutOff } from '../../../src/db/network.js';
import { copyFailure } from './failure.js';

/** How long a session that is being given up may take to say goodbye. */
const GOODBYE_MS = 2000;

/** A session that loads a staging table, with what is told where it fails. */
export class LoadSession {
  #lost: Error | undefined;

  private constructor(
    readonly client: Client,
    /** As messages name the table. */
    private readonly table: string,
    private readonly signal: AbortSignal,
    /** Rows that are committed. */
    private readonly committed: () => number,
  ) {
    client.on('error', (error) => {
      this.#lost ??= error;
    });
  }

  /**
   * `client` as a session of a load, without the settings that would spoil a long one. Its commits do not wait for the
   * disk: rows and the ledger's word of them are in one transaction, so that a server's crash takes both or neither, and
   * the commit of whatever is done with them next waits for all before it.
   */
  static async begin(
    client: Client,
    { table, signal, committed }: { table: string; signal: AbortSignal; committed: () => number },
  ): Promise<LoadSession> {
    const session = new LoadSession(client, table, signal, committed);
    await session.guarded(
      client.query(
        'SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; ' +
          'SET synchronous_commit = off; ' +
          "SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET client_encoding = 'UTF8'",
      ),
    );
    return session;
  }

  /** What `promise` resolves to, unless the run is aborted. Throws what `copyFailure` makes of an error. */
  async guarded<T>(promise: Promise<T>): Promise<T> {
    try {
      return await untilAborted(promise, this.signal);
    } catch (error) {
      const rows = this.committed();
      const state = `${plural(rows, 'row')} of staging ${noun(rows, 'is', 'are')} committed; live is untouched`;
      throw copyFailure(this.#lost ?? error, this.table, state);
    }
  }

  /** Gives up what is under way, and ends; never throws. */
  async discard(abort: () => Promise<void>): Promise<void> {
    await withinTime(abort(), GOODBYE_MS);
    await this.end();
  }

  async end(): Promise<void> {
    if (!(await withinTime(this.client.end(), GOODBYE_MS))) {
      // A server that does not answer: the socket is ours to close.
      cutOff(this.client);
    }
  }
}

/** Whether `promise` settled, either way, within `milliseconds`. */
async function withinTime(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, milliseconds, false);
  });
  try {
    const settled = promise.then(
      () => true,
      () => true,
    );
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
