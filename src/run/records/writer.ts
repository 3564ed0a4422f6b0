import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { CopyIn } from '../../../sinks/load/copy/copy-in.js';
import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { Database } from '../../core/run.js';
import { driverClient } from '../../db/driver.js';
import { ledgerTextOf } from '../../db/ledger-text.js';
import { isConnectionLoss, sqlstateOf } from '../../db/server-error.js';

/** Characters that are kept as text: a longer one would outlive the young objects of the heap, which costs more. */
const TEXT = 1 << 16;
/** Bytes that are sent together, and how many may wait before the load has to. */
const SENT_TOGETHER = 2 << 20;
const MOST_WAITING = 16 << 20;
/** How often a stretch is sent, each time on a new session. */
const ATTEMPTS = 4;

/** One session, and what is being sent through it, in order. */
interface Lane {
  sending: Promise<void>;
  waiting: number;
  client: Client | undefined;
}

/**
 * Sends lines in COPY's text format to a table of the ledger, by the megabyte, through sessions of its own and
 * outside any other transaction: what was sent stays whatever becomes of the batch. Its owner awaits `flushSome`
 * between chunks, which bounds what waits in memory, and closes it.
 */
export class RecordWriter {
  #text = '';
  #pieces: Buffer[] = [];
  #bytes = 0;
  readonly #lanes: readonly Lane[];
  /** The first error of all that was sent stays. */
  #error: unknown;

  constructor(
    private readonly database: Pick<Database, 'connect'>,
    private readonly purpose: string,
    /** COPY … FROM STDIN; one whose lines are there already must fail with a unique violation. */
    private readonly sql: string,
    /** Sessions at once: a server needs more time for a record than the load does for its row. */
    lanes = 1,
  ) {
    this.#lanes = Array.from({ length: lanes }, () => ({
      sending: Promise.resolve(),
      waiting: 0,
      client: undefined,
    }));
  }

  /** Takes lines over; they are sent in the background once there are enough of them. */
  add(lines: string): void {
    this.#text += lines;
    if (this.#text.length < TEXT) return;
    this.#encode();
    if (this.#bytes >= SENT_TOGETHER) this.#send();
  }

  /** Waits where too much waits to be sent; undefined where there is nothing to wait for. */
  flushSome(): Promise<void> | undefined {
    const waiting = this.#lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    return waiting > MOST_WAITING || this.#error !== undefined ? this.#settled() : undefined;
  }

  /** Sends everything that waits. Throws `records_not_stored`. */
  async flush(): Promise<void> {
    this.#encode();
    if (this.#bytes > 0) this.#send();
    await this.#settled();
  }

  /** Ends the sessions. Does not send what waits. */
  async close(): Promise<void> {
    this.#text = '';
    this.#pieces = [];
    this.#bytes = 0;
    await this.#sent();
    await Promise.all(this.#lanes.map(hangUp));
  }

  async #sent(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.sending));
  }

  async #settled(): Promise<void> {
    await this.#sent();
    if (this.#error !== undefined) throw this.#error;
  }

  #encode(): void {
    const piece = Buffer.from(this.#text);
    this.#text = '';
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  #send(): void {
    const bytes = Buffer.concat(this.#pieces, this.#bytes);
    this.#pieces = [];
    this.#bytes = 0;
    const lane = this.#lanes.reduce((least, each) => (each.waiting < least.waiting ? each : least));
    lane.waiting += bytes.length;
    lane.sending = lane.sending.then(async () => {
      try {
        if (this.#error === undefined) await this.#tried(lane, bytes);
      } catch (error) {
        this.#error ??= error;
      }
      lane.waiting -= bytes.length;
    });
  }

  async #tried(lane: Lane, bytes: Buffer): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        lane.client ??= await this.#connect();
        const copy = new CopyIn(lane.client, this.sql);
        const text = ledgerTextOf(lane.client);
        await copy.write(text === undefined ? bytes : Buffer.from(text.encode(bytes.toString())));
        await copy.finish();
        return;
      } catch (error) {
        await hangUp(lane);
        // The answer to an earlier attempt was lost, and that one had committed.
        if (attempt > 1 && sqlstateOf(error) === '23505') return;
        if (error instanceof SluiceError) throw error;
        if (attempt === ATTEMPTS || !isConnectionLoss(error))
          throw ledgerErrors.records_not_stored({ why: (error as Error).message }, { cause: error });
        await sleep(100 * 2 ** attempt);
      }
    }
  }

  async #connect(): Promise<Client> {
    const client = await driverClient(this.database.connect(this.purpose));
    // The publish commits durably, and everything before it with it.
    await client.query(
      "SET synchronous_commit = off; SET statement_timeout = 0; SET lock_timeout = 0; SET client_encoding = 'UTF8'",
    );
    return client;
  }
}

async function hangUp(lane: Lane): Promise<void> {
  const { client } = lane;
  lane.client = undefined;
  await client?.end().catch(() => {});
}
