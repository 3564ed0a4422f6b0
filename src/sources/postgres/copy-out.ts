import type { Client, Connection } from 'pg';

/**
 * Rows are taken from the socket until this many bytes of them wait to be read. Larger pieces live long enough
 * for the garbage collector to keep their rows: three times as much took 40 % more CPU and 30 MB more.
 */
const PIECE_BYTES = 64 << 10;

const COPY_DATA = 100;
/** A message's code and its length. */
const HEADER = 5;

/**
 * One COPY … TO STDOUT as pieces of its text, each of whole lines; those are whole rows but in CSV, whose values may hold
 * line ends. The server sends a message per row; they
 * are taken from the socket here, since making an object and an event of each takes longer than all the
 * rest. Messages of any other kind go on to pg. The socket is paused while a piece waits to be read.
 */
export class CopyOut {
  /** Rows that have come so far. */
  rows = 0;
  /** Whether the last piece ends where a multiple of `cutEvery` rows does. */
  atCut = false;
  readonly #sql: string;
  readonly #cutEvery: number;
  /** Where in the bytes that are held pieces have to end. */
  readonly #cuts: number[] = [];
  readonly #release: () => void;
  #connection: Connection | undefined;
  #listener: ((bytes: Buffer) => void) | undefined;
  #wake: (() => void) | undefined;
  #error: Error | undefined;
  #ended = false;
  #dropping = false;

  #bytes = Buffer.allocUnsafeSlow(PIECE_BYTES + (128 << 10));
  #length = 0;
  /** The bytes that the last call of `next` gave. */
  #taken = 0;
  /** The header of the current message as far as it has come. */
  readonly #header = Buffer.alloc(HEADER);
  #headerLength = 0;
  /** Bytes of the current message that are still to come, and whether they are a row's. */
  #left = 0;
  #isData = false;

  /** `cutEvery`: a piece ends behind each so many rows. */
  constructor(client: Client, sql: string, cutEvery = Number.POSITIVE_INFINITY) {
    this.#sql = sql;
    this.#cutEvery = cutEvery;
    const lost = () => this.#settle(new Error('Connection terminated unexpectedly'));
    client.once('end', lost);
    // The session may be used again.
    this.#release = () => client.removeListener('end', lost);
    client.query(this);
  }

  /** The next piece; undefined at the end. A view, valid until the next call. */
  async next(): Promise<Buffer | undefined> {
    this.#dropTaken();
    while (this.#cuts.length === 0 && (this.#length < PIECE_BYTES || this.#lastLineEnd() === 0)) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) break;
      this.#connection?.stream.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const cut = this.#cuts.shift();
    this.atCut = cut !== undefined;
    this.#taken = cut ?? this.#lastLineEnd();
    return this.#taken === 0 ? undefined : this.#bytes.subarray(0, this.#taken);
  }

  /** Throws away whatever still comes, and resolves when the server is done with the statement. */
  async drop(): Promise<void> {
    this.#dropping = true;
    this.#connection?.stream.resume();
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #dropTaken(): void {
    this.#bytes.copyWithin(0, this.#taken, this.#length);
    this.#length -= this.#taken;
    for (let i = 0; i < this.#cuts.length; i++) this.#cuts[i] = (this.#cuts[i] as number) - this.#taken;
    this.#taken = 0;
  }

  #lastLineEnd(): number {
    return this.#length === 0 ? 0 : this.#bytes.lastIndexOf(10, this.#length - 1) + 1;
  }

  #read(chunk: Buffer): void {
    let at = 0;
    const end = chunk.length;
    while (at < end) {
      if (this.#left === 0) {
        if (this.#headerLength === 0 && end - at >= HEADER) {
          // The usual case, without a detour through the header's own buffer.
          this.#begin(chunk, at);
          at += HEADER;
        } else {
          this.#header[this.#headerLength++] = chunk[at++] as number;
          if (this.#headerLength < HEADER) continue;
          this.#headerLength = 0;
          this.#begin(this.#header, 0);
        }
      }
      const to = Math.min(end, at + this.#left);
      if (this.#isData) this.#append(chunk, at, to);
      else if (to > at) this.#listener?.(chunk.subarray(at, to));
      this.#left -= to - at;
      at = to;
      if (this.#left === 0 && this.#isData) this.#endRow();
    }
    if (this.#length >= PIECE_BYTES && !this.#dropping) this.#connection?.stream.pause();
    if (this.#length >= PIECE_BYTES) this.#wake?.();
  }

  #begin(bytes: Buffer, at: number): void {
    this.#isData = bytes[at] === COPY_DATA;
    this.#left = bytes.readUInt32BE(at + 1) - 4;
    // pg's parser takes a message in as many parts as it comes in; a copy, for it may keep them.
    if (!this.#isData) this.#listener?.(Buffer.from(bytes.subarray(at, at + HEADER)));
  }

  #endRow(): void {
    this.rows += 1;
    if (this.rows % this.#cutEvery !== 0 || this.#dropping) return;
    this.#cuts.push(this.#length);
    this.#wake?.();
  }

  #append(chunk: Buffer, from: number, to: number): void {
    if (this.#dropping) return;
    const size = to - from;
    if (this.#length + size > this.#bytes.length) {
      const longer = Buffer.allocUnsafeSlow(Math.ceil((this.#length + size) * 1.5));
      this.#bytes.copy(longer, 0, 0, this.#length);
      this.#bytes = longer;
    }
    const bytes = this.#bytes;
    const at = this.#length;
    // Below this a call into native code takes longer than the loop.
    if (size > 192) chunk.copy(bytes, at, from, to);
    else for (let i = 0; i < size; i++) bytes[at + i] = chunk[from + i] as number;
    this.#length = at + size;
  }

  #settle(error?: Error): void {
    if (this.#ended) return;
    this.#error ??= error;
    this.#ended = true;
    this.#release();
    this.#wake?.();
  }

  // What pg calls on the active query.

  submit(connection: Connection): void {
    this.#connection = connection;
    const { stream } = connection;
    this.#listener = stream.listeners('data')[0] as (bytes: Buffer) => void;
    stream.removeAllListeners('data');
    stream.on('data', (bytes) => this.#read(bytes));
    connection.query(this.#sql);
  }

  handleError(error: Error): void {
    // pg does not tell a query of the ReadyForQuery after an error, so this is the end. The messages that
    // still come are passed on to pg as before.
    this.#dropping = true;
    this.#connection?.stream.resume();
    this.#settle(error);
  }

  handleReadyForQuery(connection: Connection): void {
    const { stream } = connection;
    const listener = this.#listener;
    // Not before pg has come back from handling this very message.
    queueMicrotask(() => {
      stream.removeAllListeners('data');
      if (listener !== undefined) stream.on('data', listener);
      stream.resume();
      this.#settle();
    });
  }

  handleCommandComplete(): void {}
  handleCopyData(): void {}
  handleEmptyQuery(): void {}
  callback(): void {}
}
