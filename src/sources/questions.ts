import type { Client } from 'pg';

/** A session that is asked, along the user's search_path. */
export interface QuestionSession {
  readonly client: Client;
  /** The statement that gives it that path again. */
  readonly usersPath: string;
}

/** One session for questions that come one after the other: each would else wait for a server to start it one. */
export class Questions {
  #session: Promise<QuestionSession> | undefined;
  #under = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `lingerMs`: how long the session waits for the next question; left out, until `end`. */
  constructor(
    private readonly open: () => Promise<QuestionSession>,
    private readonly lingerMs: number | undefined,
  ) {}

  /** What `question` makes of the session. Throws what it and the opening throw. */
  async ask<T>(question: (session: QuestionSession) => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#under++;
    try {
      return await question(await this.#opened());
    } catch (error) {
      // It may be lost, and not know it yet. One that holds a snapshot has nothing in its place.
      if (this.lingerMs !== undefined) this.end().catch(() => {});
      throw error;
    } finally {
      if (--this.#under === 0 && this.lingerMs !== undefined)
        this.#timer = setTimeout(() => this.end().catch(() => {}), this.lingerMs).unref();
    }
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer);
    const session = this.#session;
    this.#session = undefined;
    await (await session?.catch(() => undefined))?.client.end();
  }

  /** Another one where the last is gone. */
  #opened(): Promise<QuestionSession> {
    if (this.#session !== undefined) return this.#session;
    const opening = this.open();
    this.#session = opening;
    const forget = () => {
      if (this.#session === opening) this.#session = undefined;
    };
    // The error comes first where the server ends it, and from then on it takes no question.
    opening.then(({ client }) => client.once('error', forget).once('end', forget), forget);
    return opening;
  }
}
