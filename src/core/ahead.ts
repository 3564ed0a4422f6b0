import type { Part } from './parts.js';

/** Parts for several lanes, of which the next one is made while those before are loaded. */
export class Ahead {
  #next: Promise<IteratorResult<Part, void>>;

  constructor(private readonly parts: AsyncGenerator<Part, void>) {
    this.#next = this.#ask();
  }

  /** Whether there is another part that nobody has taken. */
  async more(): Promise<boolean> {
    return (await this.#next).done !== true;
  }

  async next(): Promise<Part | undefined> {
    const next = this.#next;
    this.#next = this.#ask();
    const { done, value } = await next;
    return done === true ? undefined : value;
  }

  /** Ends the reading, wherever it is. */
  async close(): Promise<void> {
    await this.parts.return().catch(() => {});
  }

  #ask(): Promise<IteratorResult<Part, void>> {
    const asked = this.parts.next();
    asked.catch(() => {});
    return asked;
  }
}
