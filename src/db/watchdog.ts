import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { type Backend, backendOf, END, isAtWork, parametersOf, SEEN, type Seen } from './backend.js';
import { noAnswer, type Timing, within } from './network.js';
import { isServerError } from './server-error.js';

/** What the driver has under its public face, as far as it is read here. */
interface Inside {
  readonly connection: { readonly stream: Socket; on(event: string, listener: () => void): void };
  readonly _activeQuery: { readonly writableEnded?: boolean } | null | undefined;
}

interface Watched {
  readonly inside: Inside;
  /** The server waits for the rows of a COPY of ours. */
  copying: boolean;
  /** How much had gone either way when it was last looked at, and since when no more has. */
  moved: string;
  since: number;
  /** When another session last saw it not at work. */
  suspectedAt?: number;
}

/** One statement in another session, within so many milliseconds. */
export type Ask = (sql: string, parameters: readonly unknown[], milliseconds: number) => Promise<unknown[]>;

/**
 * Finds sessions whose connection is dead though nobody has said so (a firewall that has forgotten it, a cable, a
 * machine that is gone): while a statement has no answer and nothing moves, another session is asked whether the
 * server's process is at work on it. One that is not, seen twice, and one of which nobody can be asked any more, are cut
 * off, and whoever waits gets an error as of any lost connection. A statement that runs or waits for a lock is
 * never cut off, however long it takes, and neither is a COPY for which we have no rows, or of which we take none.
 */
export class Watchdog {
  readonly #watched = new Map<Client, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #unreachableSince: number | undefined;
  #timing: Timing;
  readonly #ask: Ask;

  constructor(ask: Ask, timing: Timing) {
    this.#ask = ask;
    this.#timing = timing;
  }

  /** From now on other times count. */
  set timing(timing: Timing) {
    this.#timing = timing;
    this.#schedule();
  }

  /** Watches a session until it ends. Its process is known (see identify). */
  watch(client: Client): void {
    const inside = client as unknown as Inside;
    const watched: Watched = { inside, copying: false, moved: '', since: Date.now() };
    inside.connection.on('copyInResponse', () => {
      watched.copying = true;
    });
    for (const over of ['commandComplete', 'errorMessage', 'readyForQuery'])
      inside.connection.on(over, () => {
        watched.copying = false;
      });
    this.#watched.set(client, watched);
    client.once('end', () => {
      this.#watched.delete(client);
      if (this.#watched.size === 0) this.stop();
    });
    this.#timer ?? this.#schedule();
  }

  /** Watches nothing any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.stop();
    if (this.#watched.size === 0) return;
    const often = Math.max(20, Math.min(this.#timing.quietMs, this.#timing.againMs) / 4);
    this.#timer = setInterval(() => void this.#look(), often);
    // It keeps nobody alive: the sessions do.
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const now = Date.now();
    const due: Client[] = [];
    for (const [client, watched] of this.#watched) {
      const moved = movedOf(watched);
      if (moved === undefined || moved !== watched.moved) {
        watched.moved = moved ?? '';
        watched.since = now;
        delete watched.suspectedAt;
        continue;
      }
      const { suspectedAt } = watched;
      const wait = suspectedAt === undefined ? this.#timing.quietMs : this.#timing.againMs;
      if (now - (suspectedAt ?? watched.since) >= wait) due.push(client);
    }
    if (due.length === 0 || this.#asking) return;
    this.#asking = true;
    try {
      await this.#judge(due);
    } finally {
      this.#asking = false;
    }
  }

  async #judge(due: readonly Client[]): Promise<void> {
    const backends = due.map((client) => backendOf(client) as Backend);
    const before = new Map(due.map((client) => [client, this.#watched.get(client)?.moved]));
    let seen: Seen[];
    try {
      seen = (await this.#elsewhere(SEEN, parametersOf(backends))) as Seen[];
      this.#unreachableSince = undefined;
    } catch (error) {
      const now = Date.now();
      if (isServerError(error)) {
        // It is there, and has no session for us: nothing is known of ours.
        this.#unreachableSince = undefined;
        this.#trust(due, now);
        return;
      }
      this.#unreachableSince ??= now;
      if (now - this.#unreachableSince < this.#timing.unreachableMs) return;
      for (const client of due) cut(client, 'no answer, and no other session to ask after it');
      return;
    }
    const now = Date.now();
    const lost: Client[] = [];
    for (const client of due) {
      const watched = this.#watched.get(client);
      // Something has come while the question was under way.
      if (watched === undefined || movedOf(watched) !== before.get(client)) continue;
      const { pid } = backendOf(client) as Backend;
      if (isAtWork(seen.find((each) => each.pid === pid))) this.#trust([client], now);
      else if (watched.suspectedAt === undefined) watched.suspectedAt = now;
      else lost.push(client);
    }
    if (lost.length === 0) return;
    // What it holds (locks, claims) must not outlive it.
    await this.#elsewhere(END, parametersOf(lost.map((each) => backendOf(each) as Backend))).catch(() => {});
    for (const client of lost) cut(client, 'no answer, though the server is not at work on it any more');
  }

  #trust(clients: readonly Client[], now: number): void {
    for (const client of clients) {
      const watched = this.#watched.get(client);
      if (watched === undefined) continue;
      watched.since = now;
      delete watched.suspectedAt;
    }
  }

  /** In a session of its own; where the server has none left, in one of ours that has nothing to do. */
  async #elsewhere(sql: string, parameters: readonly unknown[]): Promise<unknown[]> {
    const { askMs } = this.#timing;
    try {
      return await this.#ask(sql, parameters, askMs);
    } catch (error) {
      const idle = isServerError(error) ? [...this.#watched.keys()].find(isFree) : undefined;
      if (idle === undefined) throw error;
      // That one may be dead as well: then the refusal is all that is known.
      const asked = within(idle.query(sql, parameters as unknown[]), askMs);
      return await asked.then(
        ({ rows }) => rows,
        () => Promise.reject(error),
      );
    }
  }
}

/**
 * How much has gone either way while an answer is waited for; undefined where none is, or where it is we who keep
 * the server waiting.
 */
function movedOf({ inside, copying }: Watched): string | undefined {
  const { _activeQuery: query, connection } = inside;
  const { stream } = connection;
  if (query === null || query === undefined || stream.isPaused()) return undefined;
  if (copying && query.writableEnded === false && stream.writableLength === 0) return undefined;
  return `${stream.bytesRead} ${stream.bytesWritten - stream.writableLength}`;
}

/** A session at rest, outside of any transaction. */
function isFree(client: Client): boolean {
  const { _activeQuery: query } = client as unknown as Inside;
  const state = (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
  return (query === null || query === undefined) && state === 'I';
}

function cut(client: Client, why: string): void {
  (client as unknown as Inside).connection.stream.destroy(noAnswer(why));
}
