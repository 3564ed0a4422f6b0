import type { Chunk } from './row.js';
import type { Staging } from './types.js';
import { untilAborted } from './until-aborted.js';

/** Rows that a part which is before its turn has waiting, at most: then it waits. */
const MOST_ROWS = 50_000;

/**
 * An end that lanes fill with the rows of their parts, and is given them in the order of the parts: rows of a part whose
 * turn has not come are held. Parts are numbered from 0 on, in the order in which they are taken.
 */
export class InOrder {
  #turn = 0;
  #last: Promise<void> = Promise.resolve();
  readonly #held = new Map<number, { readonly chunks: Chunk[]; rows: number }>();
  readonly #ended = new Set<number>();
  readonly #waiting = new Map<number, () => void>();

  constructor(private readonly staging: Staging) {}

  /** Takes a chunk of the part `part` over; resolves when the next one may come. `signal` ends a wait. */
  async write(part: number, chunk: Chunk, signal: AbortSignal): Promise<void> {
    if (part === this.#turn) return this.#append(chunk);
    const held = this.#held.get(part) ?? { chunks: [], rows: 0 };
    this.#held.set(part, held);
    held.chunks.push(chunk);
    held.rows += chunk.length;
    if (held.rows < MOST_ROWS) return;
    const turn = new Promise<void>((resolve) => this.#waiting.set(part, resolve));
    await untilAborted(turn, signal);
  }

  /** All rows of the part `part` have come. */
  async end(part: number): Promise<void> {
    this.#ended.add(part);
    for (; this.#ended.delete(this.#turn); this.#begin());
    await this.#last;
  }

  /** All that was written is safe; the number of rows as the end counted them. */
  async close(): Promise<number> {
    await this.#last;
    return this.staging.close();
  }

  async discard(): Promise<void> {
    await this.#last.catch(() => {});
    await this.staging.discard();
  }

  /** Begins the next part's turn. */
  #begin(): void {
    this.#turn++;
    const held = this.#held.get(this.#turn);
    this.#held.delete(this.#turn);
    for (const chunk of held?.chunks ?? []) void this.#append(chunk);
    this.#waiting.get(this.#turn)?.();
    this.#waiting.delete(this.#turn);
  }

  #append(chunk: Chunk): Promise<void> {
    this.#last = this.#last.then(() => this.staging.write(chunk));
    // Whoever writes or ends next hears of it.
    this.#last.catch(() => {});
    return this.#last;
  }
}
