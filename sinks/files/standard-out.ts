import { fileErrors } from '../../src/core/errors/catalogue/files.js';
import { visible } from '../../src/core/visible.js';

/**
 * stdout as rows are written to it: not faster than it is read. Where its reader has gone (`| head`) the rest is dropped.
 * Throws failed `cannot_write` for any other reason.
 */
export class StandardOut {
  #failure: NodeJS.ErrnoException | undefined;
  #waiting: (() => void)[] = [];
  readonly #onError = (error: NodeJS.ErrnoException) => {
    this.#failure ??= error;
    this.#onDrain();
  };
  readonly #onDrain = () => {
    for (const wake of this.#waiting.splice(0)) wake();
  };

  constructor() {
    process.stdout.on('error', this.#onError);
    process.stdout.on('drain', this.#onDrain);
    process.stdout.on('close', this.#onDrain);
  }

  /** Whether nobody reads it any more. */
  get unread(): boolean {
    return this.#failure?.code === 'EPIPE' || process.stdout.destroyed;
  }

  /** Takes the bytes over; resolves when more may come. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    if (this.unread || process.stdout.write(shown(bytes))) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    this.#check();
  }

  /** All bytes are written, or nobody wants them. */
  async end(): Promise<void> {
    if (!this.unread) await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    this.release();
    this.#check();
  }

  /** Listens to stdout no more. */
  release(): void {
    process.stdout.off('error', this.#onError);
    process.stdout.off('drain', this.#onDrain);
    process.stdout.off('close', this.#onDrain);
  }

  #check(): void {
    if (this.#failure === undefined || this.unread) return;
    throw fileErrors.cannot_write.ofRows(
      { path: 'stdout', why: this.#failure.message },
      { cause: this.#failure },
    );
  }
}

/** Whole lines as they are, but for a terminal: what is in them means nothing to it. */
function shown(bytes: Uint8Array): Uint8Array | string {
  if (process.stdout.isTTY !== true) return bytes;
  return Buffer.from(bytes).toString().split('\n').map(visible).join('\n');
}
