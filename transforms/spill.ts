import { type AnyRow, anyColumns, type Chunk, type Row } from '../src/core/row.js';
import { KeyBytes } from './sort/key-bytes.js';
import { merged } from './sort/merge-runs.js';
import { Packer } from './sort/pack.js';
import { Block } from './sort/packed-row.js';
import { SortedRun } from './sort/sorted-run.js';
import { Unpacker } from './sort/unpack.js';

/** All rows have the same key, so that they stay in the order of writing. */
const NO_KEY = new KeyBytes();

/**
 * Rows on disk instead of in memory, as a sort keeps them. Every value that structured cloning knows survives exactly
 * (text with lone surrogates, numbers, -0, bigint, Date, Buffer, plain objects, undefined), an ExactNumber, and the row's
 * origin; other symbols do not.
 */
export class Spill<R extends AnyRow = Row> {
  readonly #packer = new Packer();
  readonly #run: SortedRun;
  #record = new Block(16 << 10);

  private constructor(run: SortedRun) {
    this.#run = run;
  }

  /** An empty spill in `directory`, which must exist. Throws `scratch_failed`. */
  static async create<R extends AnyRow = Row>(directory: string): Promise<Spill<R>> {
    return new Spill<R>(await SortedRun.create(directory, 0));
  }

  /** Appends `chunk`. Throws `scratch_failed` (disk full, say), or `unspillable_row` for a function. */
  async write(chunk: Chunk<R>): Promise<void> {
    for (const typed of chunk) {
      const row = anyColumns(typed);
      const size = this.#packer.pack(row, NO_KEY, this.#record, 0);
      if (size < 0) {
        this.#record = new Block(-size);
        this.#packer.pack(row, NO_KEY, this.#record, 0);
      }
      if (this.#run.take(this.#record, 0)) await this.#run.flush();
    }
  }

  /** The rows, of which there must be one, in the order of writing; none can be written any more. */
  async *read(): AsyncGenerator<R[]> {
    await this.#run.end();
    const unpacker = new Unpacker(this.#packer.shapes);
    for await (const _ of merged([this.#run], unpacker)) yield unpacker.rows() as readonly AnyRow[] as R[];
    const rest = unpacker.rows() as readonly AnyRow[] as R[];
    if (rest.length > 0) yield rest;
  }

  /** Gives the space back. May be called again. */
  async dispose(): Promise<void> {
    await this.#run.dispose();
  }
}
