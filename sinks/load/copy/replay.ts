import { createHash } from 'node:crypto';
import type { Checkpoint } from '../../../src/core/checkpoint.js';
import { loadErrors } from '../../../src/core/errors/catalogue/load.js';
import { noun, plural } from '../../../src/core/plural.js';
import type { Row } from '../../../src/core/row.js';
import type { Rejection } from '../../../src/core/run.js';
import type { CopyBuffer } from '../encode/copy-buffer.js';
import { rolled } from './rolling-hash.js';

/**
 * Recognises the rows that an earlier attempt has committed, as they come by once more: counts and hashes
 * them, and compares at every checkpoint. Only rows after the last one are new.
 */
export class Replay {
  #next = 0;
  #seen = 0;
  #hash = createHash('sha256');

  constructor(
    private readonly checkpoints: readonly Checkpoint[],
    /** As messages name it. */
    private readonly table: string,
  ) {}

  /** Whether every committed row has come by. */
  get done(): boolean {
    return this.#next === this.checkpoints.length;
  }

  /**
   * Takes the rows of `buffer` that are committed already, rejecting again those that the server refused.
   * Gives the first row that is not, and where it starts. Throws refused `not_repeatable` where the rows are
   * others than those that were committed.
   */
  take(
    buffer: CopyBuffer,
    columns: readonly string[],
    reject: (row: Row, why: Rejection) => void,
  ): { readonly row: number; readonly at: number } {
    let row = 0;
    let at = 0;
    while (!this.done && row < buffer.rows) {
      const checkpoint = this.checkpoints[this.#next] as Checkpoint;
      const to = Math.min(buffer.rows, row + checkpoint.handed - this.#seen);
      const end = to === buffer.rows ? buffer.length : buffer.startOf(to, { row, at });
      for (const { index, why } of checkpoint.refused) {
        const refused = this.#start + index - this.#seen + row;
        if (refused >= row && refused < to)
          reject(buffer.readRow(refused, buffer.startOf(refused, { row, at }), columns), why);
      }
      this.#hash.update(buffer.view(at, end));
      this.#seen += to - row;
      row = to;
      at = end;
      if (this.#seen === checkpoint.handed) this.#compare(checkpoint);
    }
    return { row, at };
  }

  /** Throws refused `not_repeatable` where committed rows have not come by. */
  finish(): void {
    if (!this.done)
      throw this.#differs(
        `it gave ${plural(this.#seen, 'row')}, and ${this.#last.handed} ${noun(this.#last.handed, 'was', 'were')} loaded`,
      );
  }

  /** Rows handed over before the current segment. */
  get #start(): number {
    return this.checkpoints[this.#next - 1]?.handed ?? 0;
  }

  get #last(): Checkpoint {
    return this.checkpoints[this.checkpoints.length - 1] as Checkpoint;
  }

  #compare({ hash, handed }: Checkpoint): void {
    const before = this.checkpoints[this.#next - 1]?.hash ?? '';
    if (rolled(before, this.#hash.digest()) !== hash)
      throw this.#differs(`they differ among the rows ${this.#start + 1} to ${handed}`);
    this.#hash = createHash('sha256');
    this.#next += 1;
  }

  #differs(how: string) {
    return loadErrors.not_repeatable.rows({ table: this.table, how });
  }
}
