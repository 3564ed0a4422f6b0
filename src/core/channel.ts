/**
 * A hand-over of one item at a time between a writer and a reader: `send` resolves when the reader has
 * come back for more, so the writer never runs ahead by more than one item.
 */
export class Channel<T> implements AsyncIterable<T> {
  #item: { readonly value: T } | undefined;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #readerGone = false;
  #wakeReader: (() => void) | undefined;
  #wakeWriter: (() => void) | undefined;

  /** Hands `item` over; false where the reader has stopped reading and the item went nowhere. */
  async send(item: T): Promise<boolean> {
    while (this.#item !== undefined && !this.#readerGone)
      await new Promise<void>((wake) => {
        this.#wakeWriter = wake;
      });
    if (this.#readerGone) return false;
    this.#item = { value: item };
    this.#wakeReader?.();
    return true;
  }

  /** No more items; the reader ends after the one under way. */
  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
  }

  /** The reader throws `error` at its next turn. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeReader?.();
  }

  /** Says that nobody will read (any more); a writer that waits goes on. */
  abandon(): void {
    this.#readerGone = true;
    this.#item = undefined;
    this.#wakeWriter?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error;
        if (this.#item !== undefined) {
          const { value } = this.#item;
          this.#item = undefined;
          this.#wakeWriter?.();
          yield value;
          continue;
        }
        if (this.#ended) return;
        await new Promise<void>((wake) => {
          this.#wakeReader = wake;
        });
      }
    } finally {
      this.abandon();
    }
  }
}
