import { withoutEnd } from '../../core/ends.js';
import { fileErrors } from '../../core/errors/catalogue/files.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Row } from '../../core/row.js';
import type { TextPlace } from '../text/place.js';
import {
  BARE_CR,
  BARE_LF,
  BEHIND_QUOTE,
  badHeader,
  type Fault,
  notUtf8,
  RAW_CHARACTERS,
  ragged,
  recordTooLong,
  STRAY_QUOTE,
  UNTERMINATED,
} from './faults.js';
import type { CsvParserOptions } from './options.js';
import { scanPlain } from './plain.js';
import type { RowMaker } from './rows.js';
import { TextWindow } from './window.js';

const LF = 10;
const CR = 13;
export const QUOTE = 34;

/**
 * A record that is not whole is read from its start again once there is more. One of so many bytes waits until a quarter
 * has come: else a record that comes in small pieces would be read as often as there are pieces.
 */
const LONG_BYTES = 128 * 1024;

/**
 * A strict reader of RFC 4180 that takes the input in pieces cut anywhere and gives rows.
 *
 * Lines end in LF or CRLF; if the first record ends in a bare CR, in CR or CRLF, and the last one may in LF (an
 * editor has closed the file with one). Other line-end characters outside quotes are faults. Blank lines are left out and counted in `blank`, unless there is one column,
 * where they are a record (as COPY has it). A record with a fault is rejected with its line and byte
 * offset, and reading goes on after the line end that follows the fault. A quote that is never closed
 * rejects everything after it as one record, since no line in it can be trusted.
 *
 * Throws failed `record_too_long`; refused `bad_header`.
 */
export class CsvParser {
  /** Blank lines left out so far. */
  blank = 0;

  readonly #options: CsvParserOptions;
  readonly #delimiter: number;
  readonly #null: string;
  #maker: RowMaker | undefined;
  #values: (string | null)[] = [];
  #rows: Row[] = [];

  readonly #window = new TextWindow();
  #line = 1;
  #endsInCr: boolean | undefined;
  #body: TextPlace | undefined;
  #blankBefore = 0;
  /** The bytes to be held before they are looked at again. */
  #readAt = 0;

  constructor(options: CsvParserOptions) {
    this.#options = options;
    this.#delimiter = options.delimiter.charCodeAt(0);
    this.#null = options.nullText ?? '';
    this.#maker = options.maker;
    this.#endsInCr = options.endsInCr;
  }

  /** Where the first record starts that is not read yet. */
  get place(): TextPlace {
    return { offset: this.#window.offset, line: this.#line };
  }

  /** Where the rows begin, and how many blank lines stand before; undefined until it is known how lines end. */
  get body(): (TextPlace & { readonly blankBefore: number }) | undefined {
    return this.#endsInCr === undefined || this.#body === undefined
      ? undefined
      : { ...this.#body, blankBefore: this.#blankBefore };
  }

  /** Whether lines end in a bare CR, as far as that is known. */
  get endsInCr(): boolean {
    return this.#endsInCr === true;
  }

  /** What stands between fields. */
  get delimiter(): string {
    return this.#options.delimiter;
  }

  /** The names of the rows' fields, once they are known. */
  get names(): readonly string[] | undefined {
    return this.#maker?.names;
  }

  /** A parser of the same text from `place` on, this one having read its beginning; `reject` is told as in the options. */
  from(place: TextPlace, reject: CsvParserOptions['reject']): CsvParser {
    const parser = new CsvParser({ ...this.#options, reject });
    parser.#maker = this.#maker;
    parser.#endsInCr = this.#endsInCr;
    parser.startAt(place);
    return parser;
  }

  /** Begins at `place`, what stands before it is left out. Call it before anything else. */
  startAt({ offset, line }: TextPlace): void {
    this.#line = line;
    this.#window.startAt(offset);
  }

  /** The rows that `bytes` completes. Does not keep `bytes`. */
  push(bytes: Buffer): Row[] {
    this.#window.append(bytes);
    return this.#read(false);
  }

  /** The rows that the end of the input completes. */
  end(): Row[] {
    const rows = this.#read(true);
    if (this.#maker === undefined) {
      throw fileErrors.empty_file.blankLines({ input: this.#options.input });
    }
    return rows;
  }

  #read(final: boolean): Row[] {
    const window = this.#window;
    if (!final && window.held < this.#readAt) return [];
    if (!window.decode(final)) return [];
    this.#rows = [];
    const maker = this.#maker;
    const plain = maker !== undefined && !final && this.#isPlain(maker);
    window.drop(plain ? this.#scanPlain(maker) : this.#scan(final));
    if (window.held > this.#options.maxRecordBytes) throw this.#tooLong(0);
    const most = this.#options.maxRecordBytes + 1;
    this.#readAt = window.held < LONG_BYTES ? 0 : Math.min(most, Math.ceil(window.held * 1.25));
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** Whether the text can be cut at delimiters and line ends without a look at anything else. */
  #isPlain(maker: RowMaker): boolean {
    const { text, unchecked } = this.#window;
    return (
      !unchecked &&
      maker.columns > 1 &&
      this.#null === '' &&
      this.#endsInCr === false &&
      !text.includes('"') &&
      !(text.includes('\r') && /\r(?!\n)/.test(text))
    );
  }

  /** `#scan` for a plain text, which most are: the same rows in less time. */
  #scanPlain(maker: RowMaker): number {
    const found = scanPlain(this.#window.text, this.#options.delimiter, maker, this.#line, {
      row: (row) => this.#rows.push(row),
      odd: (start, end, count, line) => {
        this.#line = line;
        if (end === start) this.blank++;
        else this.#faulty(start, end, ragged(count, maker.columns));
      },
      maxLength: this.#options.maxRecordBytes,
      tooLong: (start, line) => {
        this.#line = line;
        throw this.#tooLong(start);
      },
    });
    this.#line = found.line;
    return found.end;
  }

  /** Reads whole records; gives the place in the text where the first incomplete one starts. */
  #scan(final: boolean): number {
    const text = this.#window.text;
    const length = text.length;
    const delimiter = this.#delimiter;
    const nullText = this.#null;
    const nullLength = nullText.length;
    const values = this.#values;
    // Characters above this one cannot end a field.
    const highest = Math.max(delimiter, QUOTE);
    let record = 0;
    // One turn a record.
    while (record < length) {
      if (this.#body === undefined) this.#noteBody(record);
      const columns = this.#maker?.columns ?? Number.POSITIVE_INFINITY;
      let field = record;
      let count = 0;
      let lines = 0;
      let fault: Fault | undefined;
      // After a fault in the quoting, quotes mean nothing up to the line end.
      let astray = false;
      let i = record;
      let next = -1;
      // One turn a field or fault.
      for (;;) {
        let code = -1;
        while (i < length) {
          code = text.charCodeAt(i);
          if (code <= highest && (code === delimiter || code === LF || code === CR || code === QUOTE)) break;
          i++;
        }
        if (i >= length) {
          if (!final) return record;
          code = LF;
          next = length;
        } else if (code === CR) {
          if (i + 1 >= length && !final) {
            return record;
          } else if (text.charCodeAt(i + 1) === LF) {
            next = i + 2;
          } else if (this.#endsInCr !== false) {
            next = i + 1;
          } else {
            fault ??= BARE_CR;
            i++;
            continue;
          }
        } else if (code === LF) {
          if (this.#endsInCr === true) {
            if (i + 1 >= length && !final) return record;
            if (i + 1 < length) {
              fault ??= BARE_LF;
              i++;
              continue;
            }
          }
          next = i + 1;
        } else if (code === QUOTE && i === field && !astray) {
          // A quoted field: find its end, then what stands after it.
          let close = i;
          let doubled = false;
          for (;;) {
            close = text.indexOf('"', close + 1);
            if (close < 0 || text.charCodeAt(close + 1) !== QUOTE) break;
            doubled = true;
            close++;
          }
          if (close < 0 || (close + 1 >= length && !final)) {
            if (!final) return record;
            this.#faulty(record, length, UNTERMINATED);
            return length;
          }
          if (count < columns) {
            const inner = text.slice(i + 1, close);
            values[count] = doubled ? inner.replaceAll('""', '"') : inner;
          }
          lines += this.#window.count(this.#endsInCr === true ? '\r' : '\n', i + 1, close);
          i = close + 1;
          const after = i < length ? text.charCodeAt(i) : LF;
          if (after === delimiter) {
            count++;
            field = ++i;
            continue;
          }
          if (after === LF || after === CR) {
            // Seen again as the end of an unquoted field, which must not overwrite this one.
            field = -1;
            continue;
          }
          fault ??= BEHIND_QUOTE;
          astray = true;
          continue;
        } else if (code === QUOTE) {
          fault ??= STRAY_QUOTE;
          astray = true;
          i++;
          continue;
        }
        // The end of a field.
        if (field >= 0 && count < columns) {
          values[count] =
            i - field === nullLength && (nullLength === 0 || text.startsWith(nullText, field))
              ? null
              : text.slice(field, i);
        }
        count++;
        if (code === delimiter) {
          field = ++i;
          continue;
        }
        break;
      }
      if (i - record > this.#options.maxRecordBytes) throw this.#tooLong(record);
      if (fault !== undefined) {
        this.#faulty(record, next, fault);
      } else if (count === 1 && i === record && columns !== 1) {
        this.blank++;
      } else {
        if (this.#endsInCr === undefined && i < length) {
          this.#endsInCr = text.charCodeAt(i) === CR && next === i + 1;
        }
        this.#record(record, i, count);
      }
      this.#line += lines + 1;
      record = next;
    }
    this.#noteBody(record);
    return record;
  }

  /** If the names of the fields are known, rows begin at `place`. */
  #noteBody(place: number): void {
    if (this.#body !== undefined || this.#maker === undefined) return;
    this.#body = { offset: this.#window.offsetOf(place), line: this.#line };
    this.#blankBefore = this.blank;
  }

  /** A record without a fault in its quoting, its values in `#values`. */
  #record(start: number, end: number, count: number): void {
    if (this.#window.unchecked && !this.#decode(start, end, Math.min(count, this.#values.length))) return;
    const maker = this.#maker;
    if (maker === undefined) {
      const names = this.#values.slice(0, count).map((name) => name ?? '');
      this.#maker = this.#options.header?.(names);
      return;
    }
    if (count !== maker.columns) {
      this.#faulty(start, end, ragged(count, maker.columns));
      return;
    }
    this.#rows.push(maker.fromValues(this.#values, this.#line));
  }

  /** Turns the values of a record from bytes to text; false (and a reject) if they are not UTF-8. */
  #decode(start: number, end: number, count: number): boolean {
    const bad = this.#window.badByte(start, end);
    if (bad !== undefined) {
      this.#faulty(start, end, notUtf8(bad.byte, bad.offset));
      return false;
    }
    for (let i = 0; i < count; i++) {
      const value = this.#values[i];
      if (typeof value === 'string') this.#values[i] = Buffer.from(value, 'latin1').toString('utf8');
    }
    return true;
  }

  #faulty(start: number, end: number, fault: Fault): void {
    const raw = withoutEnd(this.#window.raw(start, Math.min(end, start + RAW_CHARACTERS)), /[\r\n]/);
    const offset = this.#window.offsetOf(start);
    const { reason, message } = fault;
    if (this.#maker !== undefined) {
      this.#options.reject({ reason, message, line: this.#line, offset, raw });
      return;
    }
    throw badHeader({ reason, message, line: this.#line, offset, raw }, this.#options.input);
  }

  #tooLong(start: number): SluiceError {
    const { input, maxRecordBytes } = this.#options;
    const at = { line: this.#line, offset: this.#window.offsetOf(start) };
    return recordTooLong(input, at, maxRecordBytes, this.#window.holds(QUOTE));
  }
}
