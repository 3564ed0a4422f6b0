import type { Part, PartPlace, PartReader } from '../../../core/parts.js';

/** What a line is told by whoever loads its parts. */
interface LineHooks {
  /** The part under way is committed. */
  committed(): void;
  /** Something is left to be done of it, once it is known that no other part comes. */
  unsettled(): void;
}

/**
 * A lane that loads parts of one flow, one after the other, as they come: its sessions, and what its stages have at hand, serve
 * one part after the other. It ends by the first error, and when it is closed.
 */
export class PartLine {
  readonly #feed: Feed;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #current: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #over = false;

  /** `load` loads what it is given until that ends, or `signal` is aborted. */
  constructor(
    load: (
      parts: (reader: PartReader) => AsyncGenerator<Part, void>,
      hooks: LineHooks,
      signal: AbortSignal,
    ) => Promise<void>,
  ) {
    this.#feed = new Feed();
    const hooks = {
      committed: () => this.#current?.resolve(),
      unsettled: () => this.#feed.close(),
    };
    const loading = load((reader) => this.#feed.of(reader), hooks, this.#stop.signal);
    this.#ended = loading.then(
      () => this.#end(new Error('the line has ended')),
      (error: unknown) => this.#end(error),
    );
  }

  /** Whether it takes no further part. */
  get over(): boolean {
    return this.#over || this.#feed.closed;
  }

  /** Loads a part: it is committed when the promise resolves. Throws what ends the line. */
  async load(place: PartPlace, signal: AbortSignal): Promise<void> {
    const stop = () => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#current = { resolve, reject };
        this.#feed.give(place);
      });
    } finally {
      this.#current = undefined;
      signal.removeEventListener('abort', stop);
    }
  }

  /** Lets go of its sessions; never throws. */
  async close(): Promise<void> {
    this.#feed.close();
    await this.#ended;
  }

  #end(error: unknown): void {
    this.#over = true;
    this.#feed.close();
    this.#current?.reject(error);
  }
}

/** The parts of a line, of which the next one is asked for before it is there. Whoever asks can be told that none comes. */
class Feed {
  closed = false;
  #places: PartPlace[] = [];
  #wake: (() => void) | undefined;

  give(place: PartPlace): void {
    this.#places.push(place);
    this.#wake?.();
  }

  close(): void {
    this.closed = true;
    this.#wake?.();
  }

  /** A generator's own `return` would wait for the part that is asked for. */
  of(reader: PartReader): AsyncGenerator<Part, void> {
    const parts = this.#parts(reader);
    const end = parts.return.bind(parts);
    return Object.assign(parts, {
      return: async () => {
        this.close();
        return end();
      },
    });
  }

  async *#parts(reader: PartReader): AsyncGenerator<Part, void> {
    for (;;) {
      const place = this.#places.shift();
      if (place !== undefined) yield await reader.part(place);
      else if (this.closed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
