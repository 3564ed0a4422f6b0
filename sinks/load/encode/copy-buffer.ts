import type { Row } from '../../../src/core/row.js';
import { markOrigin } from '../../../src/core/row.js';

/**
 * Rows in COPY's text format, one after another, and the origin of each. It is used again and again, so
 * that a load of any size allocates nothing per chunk; what has been handed to a socket must not be
 * overwritten before the server has taken it.
 */
export class CopyBuffer {
  /** Only the first `length` bytes count. Replaced by a longer one as rows need it. */
  bytes: Buffer;
  length = 0;
  /** Number of rows; every row ends with a newline, and a newline in a value is written \n. */
  rows = 0;
  /** The origin of each row, NaN where it has none. */
  origins: Float64Array;
  readonly #initial: number;

  constructor(capacity: number) {
    this.#initial = capacity;
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.origins = new Float64Array(4096);
  }

  /** Makes room for `needed` bytes from `at` on, keeping those before. */
  reserve(at: number, needed: number): Buffer {
    if (at + needed <= this.bytes.length) return this.bytes;
    const longer = Buffer.allocUnsafeSlow(Math.max(at + needed, Math.ceil(this.bytes.length * 1.5)));
    this.bytes.copy(longer, 0, 0, at);
    this.bytes = longer;
    return longer;
  }

  /** Makes room for the origins of `more` rows. */
  reserveRows(more: number): Float64Array {
    if (this.rows + more <= this.origins.length) return this.origins;
    const longer = new Float64Array(Math.max(this.rows + more, this.origins.length * 2));
    longer.set(this.origins.subarray(0, this.rows));
    this.origins = longer;
    return longer;
  }

  /** Empties it, and lets go of what one exceptionally long row made it grow to. */
  clear(): void {
    this.length = 0;
    this.rows = 0;
    if (this.bytes.length > this.#initial * 2) this.bytes = Buffer.allocUnsafeSlow(this.#initial);
  }

  /** Appends the rows of `other` from its row `row` on, which starts at `at`. */
  append(other: CopyBuffer, row: number, at: number): void {
    const size = other.length - at;
    other.bytes.copy(this.reserve(this.length, size), this.length, at, other.length);
    this.reserveRows(other.rows - row).set(other.origins.subarray(row, other.rows), this.rows);
    this.length += size;
    this.rows += other.rows - row;
  }

  /** The encoded bytes; a view, not a copy. */
  view(from = 0, to = this.length): Buffer {
    return this.bytes.subarray(from, to);
  }

  /** Where the row `index` (0-based) starts; for index = rows, the end. `from`: a row start before it. */
  startOf(index: number, from: { readonly row: number; readonly at: number } = { row: 0, at: 0 }): number {
    let at = from.at;
    for (let row = from.row; row < index; row++) at = this.bytes.indexOf(10, at) + 1;
    return at;
  }

  /** The row that starts at `at`, read back as text by column, with its origin. */
  readRow(index: number, at: number, columns: readonly string[]): Row {
    const fields = this.bytes.toString('utf8', at, this.bytes.indexOf(10, at)).split('\t');
    const row: Record<string, unknown> = {};
    for (const [i, name] of columns.entries()) {
      // A plain assignment to __proto__ would be lost.
      Object.defineProperty(row, name, {
        value: unescapeField(fields[i] ?? ''),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    const origin = this.origins[index];
    return markOrigin(row, origin === undefined || Number.isNaN(origin) ? undefined : origin);
  }
}

const PLAIN: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** One field of COPY's text format as text, or null for \N. */
function unescapeField(field: string): string | null {
  if (!field.includes('\\')) return field;
  if (field === '\\N') return null;
  return field.replace(/\\(.)/gs, (_, code: string) => PLAIN[code] ?? code);
}
