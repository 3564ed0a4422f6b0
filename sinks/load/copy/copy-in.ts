import type { Client } from 'pg';
import { type CopyStreamQuery, from } from 'pg-copy-streams';

/** More than a chunk or two in flight only moves memory from us to the socket. */
const HIGH_WATER_MARK = 1 << 20;

/** One COPY … FROM STDIN on a session that does nothing else meanwhile. */
export class CopyIn {
  readonly #stream: CopyStreamQuery;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #finished = false;

  /** Sends the statement. An error of the server's is thrown by the next `write` or by `finish`. */
  constructor(client: Client, sql: string) {
    this.#stream = client.query(from(sql, { highWaterMark: HIGH_WATER_MARK }));
    this.#stream.on('error', (error) => {
      this.#error ??= error;
      this.#wake?.();
    });
    this.#stream.on('drain', () => this.#wake?.());
    this.#stream.on('finish', () => {
      this.#finished = true;
      this.#wake?.();
    });
  }

  /** Hands `bytes` over; they must not change before `finish` resolves. Resolves when more may come. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    if (this.#stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    if (this.#error !== undefined) throw this.#error;
  }

  /** Ends the data; the number of rows that the server says it copied. */
  async finish(): Promise<number> {
    if (this.#error !== undefined) throw this.#error;
    const done = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#finished || this.#error !== undefined) resolve();
      };
    });
    this.#stream.end();
    await done;
    if (this.#error !== undefined) throw this.#error;
    return this.#stream.rowCount;
  }

  /** Tells the server to fail the COPY, and resolves when it has said so or the session is gone. */
  async abort(): Promise<void> {
    if (this.#error !== undefined || this.#finished) return;
    await new Promise<void>((resolve) => {
      this.#stream.once('close', () => resolve());
      this.#stream.destroy(new Error('the load was given up'));
    });
  }
}
