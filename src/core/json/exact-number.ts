import { doubleOf } from './decimal.js';

// Registered, so that two copies of the package know each other's.
const EXACT: unique symbol = Symbol.for('sluice.exact') as never;

// Node's own, by its registered name: the types of this file need none of Node's.
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/**
 * A number of JSON that a JavaScript number would write in another way: `12.50`, `1e5`, `-0`, or one of more digits
 * than a double has. It reaches a column as it was written, and is text by `String(value)`. In arithmetic and
 * comparisons it is the double that has its value; where there is none it throws a RangeError, since the result would
 * be wrong without a word. Never a whole number written in plain digits: those are numbers or bigints.
 */
export class ExactNumber {
  constructor(
    /** As RFC 8259 has it. */
    readonly literal: string,
  ) {}

  get [EXACT](): true {
    return true;
  }

  toString(): string {
    return this.literal;
  }

  /** The double of this value. Throws RangeError where there is none. */
  valueOf(): number {
    const number = doubleOf(this.literal);
    if (number === undefined)
      throw new RangeError(
        `${shortened(this.literal)} has more digits than a JavaScript number holds; String(value) gives them all`,
      );
    return number;
  }

  /** For JSON.stringify, which can write numbers only: `jsonText` writes it as it was. Throws as `valueOf` does. */
  toJSON(): number {
    return this.valueOf();
  }

  [Symbol.toPrimitive](hint: string): string | number {
    return hint === 'string' ? this.literal : this.valueOf();
  }

  [INSPECT](): string {
    return this.literal;
  }
}

const shortened = (text: string) => (text.length <= 60 ? text : `${text.slice(0, 60)}…`);

/** Whether a value is an `ExactNumber`, of this copy of the package or another. */
export const isExactNumber = (value: unknown): value is ExactNumber =>
  typeof value === 'object' && value !== null && (value as { [EXACT]?: true })[EXACT] === true;

const PLAIN = /^-?[1-9]\d*$/;

/** Longer ones are not made bigints: that takes time out of proportion. */
const MOST_DIGITS = 1000;

/**
 * What stands in a row for a number that JSON writes as `literal`: a number where it would be written just so (and is
 * whole only where no other has its value), a bigint where it is whole and has plain digits, else an ExactNumber.
 */
export function numberOf(literal: string): number | bigint | ExactNumber {
  const number = Number(literal);
  if (String(number) === literal && (!Number.isInteger(number) || Number.isSafeInteger(number)))
    return number;
  return literal.length <= MOST_DIGITS && PLAIN.test(literal) ? BigInt(literal) : new ExactNumber(literal);
}
