import type { MessagePort, Worker } from 'node:worker_threads';
import { type ErrorData, errorAsData, errorFromData } from '../../../core/errors/as-data.js';

/** What a message takes along: memory that the sender gives away. */
export type Moved = readonly ArrayBuffer[];

/** An end of a channel between two threads: of the one that began the other, or that one's own. */
export type Port = Pick<Worker | MessagePort, 'postMessage' | 'on'>;

type Message =
  | { readonly tell: unknown }
  | { readonly ask: unknown; readonly id: number }
  | { readonly answer: unknown; readonly id: number }
  | { readonly error: ErrorData; readonly id: number };

/** An answer, and what it takes along. */
export interface Answer {
  readonly answer?: unknown;
  readonly moved?: Moved;
}

/**
 * One end of a line between two threads: either may tell the other something, or ask it and wait for the answer. An error
 * of who is asked is thrown at who asks, with all that it knows (`errorAsData`).
 */
export class Line<Told, Asked, Hears, Answers> {
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: unknown): void }>();
  #asked = 0;

  constructor(
    private readonly port: Port,
    private readonly heard: {
      told(what: Hears): void;
      asked(what: Answers): Promise<Answer>;
    },
  ) {
    port.on('message', (message: Message) => this.#hear(message));
  }

  tell(what: Told, moved: Moved = []): void {
    this.port.postMessage({ tell: what }, moved);
  }

  ask(what: Asked, moved: Moved = []): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.port.postMessage({ ask: what, id }, moved);
    });
  }

  #hear(message: Message): void {
    if ('tell' in message) this.heard.told(message.tell as Hears);
    else if ('ask' in message) void this.#answer(message.ask as Answers, message.id);
    else {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('error' in message) waiting?.reject(errorFromData(message.error));
      else waiting?.resolve(message.answer);
    }
  }

  async #answer(what: Answers, id: number): Promise<void> {
    try {
      const { answer, moved = [] } = await this.heard.asked(what);
      this.port.postMessage({ answer, id }, moved);
    } catch (error) {
      this.port.postMessage({ error: errorAsData(error), id }, []);
    }
  }
}
