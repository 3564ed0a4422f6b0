import type { FrequentError } from '../../core/record-summary.js';
import type { Rejection } from '../../core/run.js';
import type { StoredReject } from '../../core/stored-reject.js';

/** How many are shown. */
const MOST_FREQUENT = 10;
/** Reasons and columns that are told apart: they come from code, and are few. */
const MOST_KINDS = 1_000;

/** Counts rejects by reason and column, all of them, and keeps an example of each. */
export class FrequentErrors {
  readonly #kinds = new Map<
    string,
    { rows: number; example: FrequentError['example'] | undefined } & Pick<FrequentError, 'reason' | 'column'>
  >();

  /** Counts a reject; whether it is the first of its kind, of which `example` is to be told. */
  add({ reason, column = null }: Pick<Rejection, 'reason'> & { readonly column?: string | null }): boolean {
    const key = `${reason}\0${column ?? ''}`;
    const known = this.#kinds.get(key);
    if (known !== undefined) known.rows += 1;
    else if (this.#kinds.size < MOST_KINDS)
      this.#kinds.set(key, { reason, column, rows: 1, example: undefined });
    else return false;
    return known === undefined;
  }

  /** The example of a kind, as it may be kept. */
  example({ reason, column }: Pick<Rejection, 'reason' | 'column'>, stored: StoredReject): void {
    const known = this.#kinds.get(`${reason}\0${column ?? ''}`);
    if (known === undefined) return;
    const { input, line, source_id, message } = stored;
    known.example = { input, line, source_id, message };
  }

  /** Kinds that were told apart, those that `top` gives among them. */
  get kinds(): number {
    return this.#kinds.size;
  }

  /** The most frequent, most first. */
  top(): FrequentError[] {
    return [...this.#kinds.values()]
      .sort((a, b) => b.rows - a.rows)
      .slice(0, MOST_FREQUENT)
      .flatMap(({ example, ...kind }) => (example === undefined ? [] : [{ ...kind, example }]));
  }
}
