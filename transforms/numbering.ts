import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { type AnyRow, anyColumns, originOf, type Row } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { extend } from './extend.js';
import { stageFailed } from './failure.js';
import { type By, describeGroup, sameGroup } from './key.js';

export interface RenumberOptions<R extends AnyRow = Row, As extends string = string> {
  /** Rows with equal values of this are numbered together; they must stand together. */
  readonly within: By<NoInfer<R>>;
  /** The column that gets prefix and number. */
  readonly as: As;
  /** Digits of the number, padded with zeros. Default: 3. */
  readonly width?: number;
  /** The first number of a group. Default: 1. */
  readonly start?: number;
  /** What stands before the number: a column or a function. Default: `within`, where that is one column. */
  readonly prefix?: string | ((row: R) => string);
  /** Asked at the first row of a group: the number it starts at, instead of `start`. */
  readonly first?: (row: R) => number | undefined;
  /**
   * The number that a row holds already. Such a row passes as it is (counted as kept), and the others of
   * its group go on after the largest; so these rows must stand first in their group.
   */
  readonly taken?: (row: R) => number | undefined;
  /** The reason under which such rows are counted as kept. Default: already_numbered. */
  readonly takenReason?: string;
  /** Rows for which this is false pass as they are, without a number. */
  readonly only?: (row: R) => boolean;
  /**
   * A group with more rows than `width` digits can number: 'refuse' ends the batch after the last row,
   * naming the groups; 'widen' gives all numbers of that group as many digits as its largest needs.
   * Default: `--set overflow=…`, else 'refuse'.
   */
  readonly overflow?: 'refuse' | 'widen';
  /** Rows of one group held in memory for 'widen'; more go to a scratch file. Default: 20,000. */
  readonly memoryRows?: number;
}

/** Which number each row gets; the same for both ways of treating an overflow. */
export class Numbering<R extends AnyRow> {
  readonly width: number;
  readonly same: (a: R, b: R) => boolean;
  readonly describe: (row: R) => string;
  readonly #options: RenumberOptions<R, string>;
  readonly #prefix: (row: R) => string;
  readonly #name: string;
  readonly #numbered: (row: R, added: Row) => R;
  /** Numbers below 1000 as text, padded to `width`. */
  readonly #texts: readonly string[];

  constructor(options: RenumberOptions<R, string>, name: string) {
    const { within, prefix = within, width = 3 } = options;
    if (!Number.isInteger(width) || width < 1 || width > 15) {
      throw stageErrors.bad_width({ stage: name, width });
    }
    if (typeof prefix !== 'string' && typeof prefix !== 'function') {
      throw stageErrors.prefix_needed({ stage: name });
    }
    this.#options = options;
    this.#prefix = (
      typeof prefix === 'string' ? (row: R) => String(anyColumns(row)[prefix] ?? '') : prefix
    ) as (row: R) => string;
    this.#name = name;
    this.#numbered = extend<Row>(options.as);
    this.#texts = Array.from({ length: 1000 }, (_, number) => String(number).padStart(width, '0'));
    this.width = width;
    this.same = sameGroup(within);
    this.describe = describeGroup(within);
  }

  open(row: R): Sequence<R> {
    try {
      const start = this.#options.first?.(row) ?? this.#options.start ?? 1;
      return { example: row, next: start, largest: start - 1, rows: 0 };
    } catch (error) {
      throw stageFailed(this.#name, row, error);
    }
  }

  /** The number that the row gets, or -1 where it passes as it is. */
  number(row: R, sequence: Sequence<R>, run: Run): number {
    const { only, taken } = this.#options;
    let held: number | undefined;
    try {
      if (only !== undefined && !only(row)) return -1;
      held = taken?.(row);
    } catch (error) {
      throw stageFailed(this.#name, row, error);
    }
    sequence.rows++;
    if (held === undefined) {
      sequence.given ??= sequence.next;
      sequence.largest = Math.max(sequence.largest, sequence.next);
      return sequence.next++;
    }
    if (sequence.given !== undefined && held >= sequence.given && held < sequence.next) {
      throw stageErrors.renumber_order({ number: held, group: this.describe(row) }, { line: originOf(row) });
    }
    run.keep(this.#options.takenReason ?? 'already_numbered');
    sequence.next = Math.max(sequence.next, held + 1);
    sequence.largest = Math.max(sequence.largest, held);
    return -1;
  }

  apply(row: R, number: number, width: number): R {
    if (number < 0) return row;
    let prefix: string;
    try {
      prefix = this.#prefix(row);
    } catch (error) {
      throw stageFailed(this.#name, row, error);
    }
    const text =
      number < 1000 && width === this.width
        ? (this.#texts[number] as string)
        : String(number).padStart(width, '0');
    return this.#numbered(row, { [this.#options.as]: prefix + text });
  }
}

/** Where the numbering of one group stands. */
export interface Sequence<R extends AnyRow> {
  /** Its first row, to name it by. */
  readonly example: R;
  next: number;
  /** Rows of the group that have a number. */
  rows: number;
  /** The largest number in the group, given or held. */
  largest: number;
  /** The first number given away, once one was. */
  given?: number;
}
