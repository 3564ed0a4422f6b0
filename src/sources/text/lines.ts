import { isUtf8 } from 'node:buffer';
import { textErrors } from '../../core/errors/catalogue/text.js';
import { firstInvalidUtf8 } from './encoding.js';
import type { TextPlace } from './place.js';

/** One line: its text, or where it is not UTF-8 the offset of the first bad byte within it. */
export interface Line {
  readonly text: string;
  /** 1-based. */
  readonly number: number;
  /** Of its first byte, in the unpacked UTF-8 text, 0-based. */
  readonly offset: number;
  readonly invalidAt?: number;
  /** Its bytes stand here, from `from` to before `to`; only until `take` returns. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/** Of a byte order mark. */
const MARK_BYTES = 3;

/**
 * Cuts UTF-8 text, taken in pieces cut anywhere, into lines that end in LF or CRLF. The ends, a byte order
 * mark and the empty piece after the last line end are left out. Throws failed `record_too_long`.
 */
export class LineSplitter {
  readonly #input: string;
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #held = 0;
  #offset: number;
  #number: number;

  /** `from`: where in the input the first line starts, if not at its beginning. */
  constructor(input: string, maxBytes: number, from: TextPlace = { offset: 0, line: 1 }) {
    this.#input = input;
    this.#maxBytes = maxBytes;
    this.#offset = from.offset;
    this.#number = from.line;
  }

  /** Calls `take` for every line that `bytes` completes. Does not keep `bytes`. */
  push(bytes: Buffer, take: (line: Line) => void): void {
    const last = bytes.lastIndexOf(10);
    if (last < 0) {
      this.#hold(bytes);
      return;
    }
    const whole = bytes.subarray(0, last + 1);
    const block = this.#held === 0 ? whole : Buffer.concat([...this.#parts, whole]);
    this.#parts = [];
    this.#held = 0;
    this.#split(block, take);
    this.#hold(bytes.subarray(last + 1));
  }

  /** Calls `take` for a last line that no line end follows. */
  end(take: (line: Line) => void): void {
    if (this.#held === 0) return;
    const block = Buffer.concat([...this.#parts, Buffer.from('\n')]);
    this.#parts = [];
    this.#held = 0;
    this.#split(block, take);
  }

  #hold(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#parts.push(Buffer.from(bytes));
    this.#held += bytes.length;
    if (this.#held > this.#maxBytes) throw this.#tooLong();
  }

  #split(block: Buffer, take: (line: Line) => void): void {
    const valid = isUtf8(block);
    const text = block.toString(valid ? 'utf8' : 'latin1');
    const bytewise = !valid || text.length === block.length;
    let from = 0;
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf('\n', start);
      const stop = text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end;
      let line = text.slice(start, stop);
      const bytes = bytewise ? end + 1 - start : Buffer.byteLength(line) + (end + 1 - start - line.length);
      if (bytes - 1 > this.#maxBytes) throw this.#tooLong();
      let invalidAt = -1;
      if (!valid) {
        const raw = Buffer.from(line, 'latin1');
        invalidAt = firstInvalidUtf8(raw);
        if (invalidAt < 0) line = raw.toString('utf8');
      }
      const to = from + bytes - (end + 1 - stop);
      if (this.#number === 1 && line.charCodeAt(0) === 0xfeff) {
        line = line.slice(1);
        from += MARK_BYTES;
      }
      const found = { text: line, number: this.#number, offset: this.#offset, bytes: block, from, to };
      from = to + (end + 1 - stop);
      this.#number++;
      this.#offset += bytes;
      start = end + 1;
      take(invalidAt < 0 ? found : { ...found, invalidAt });
    }
  }

  #tooLong() {
    return lineTooLong(this.#input, { line: this.#number, offset: this.#offset }, this.#maxBytes);
  }
}

/** What to throw at a line longer than `limit` bytes. */
export function lineTooLong(input: string, at: TextPlace, limit: number) {
  return textErrors.record_too_long.line({ input, line: at.line, limit }, { offset: at.offset });
}
