import { type StageCounter, sum } from './accounting.js';
import { blamed } from './blamed.js';
import { type Bookmark, bookmarkOf } from './bookmark.js';
import { commandErrors } from './errors/catalogue/command-line.js';
import type { Rows } from './row.js';
import type { Run } from './run.js';
import type { Source } from './types.js';

/** What is read of a source. */
export interface ReadingOptions {
  /** Stop after so many rows. */
  readonly limit?: number;
  /** Read on from there. */
  readonly from?: Bookmark;
}

/** The reading of a flow's source, counted; records that the source rejected or skipped itself count as read. */
export class Reading {
  #at: Bookmark | undefined;

  constructor(
    private readonly source: Source,
    private readonly count: StageCounter,
    private readonly run: Run,
    private readonly options: ReadingOptions,
  ) {}

  /** The place after the chunk that was given last; undefined where the source has not told it. */
  get at(): Bookmark | undefined {
    return this.#at;
  }

  /** The rows; to be read once. */
  async *rows(): Rows {
    const { source, count, run } = this;
    let left = this.options.limit ?? Number.POSITIVE_INFINITY;
    try {
      for await (const chunk of this.#read()) {
        if (run.signal.aborted) throw commandErrors.interrupted.stopped();
        const taken = chunk.length <= left ? chunk : chunk.slice(0, left);
        left -= taken.length;
        count.out += taken.length;
        this.#at = bookmarkOf(taken);
        this.#countIn();
        if (taken.length > 0) yield taken;
        if (left === 0) break;
      }
      // What the source counts after its last chunk is after no bookmark.
      this.#at = undefined;
      count.readToEnd = true;
    } catch (error) {
      throw blamed(error, `reading ${source.name}`, { input: source.name });
    } finally {
      this.#countIn();
    }
  }

  #read(): Rows {
    const { from } = this.options;
    if (from === undefined) return this.source.read(this.run);
    return (this.source.readFrom as NonNullable<Source['readFrom']>)(this.run, from);
  }

  #countIn(): void {
    this.count.in = this.count.out + sum(this.count.rejected) + sum(this.count.skipped);
  }
}
