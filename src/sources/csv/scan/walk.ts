import { CR, LF, QUOTE, specialBytes } from './bytes.js';

/** Goes through one record after another as `CsvParser` does, by its rules, for their ends alone. */
export class RecordWalk {
  /** Where the record ends that `to` has gone through, with its line end. */
  next = 0;
  /** The lines that ended inside its quotes. */
  within = 0;
  /** Whether there is nothing in it but the line end. */
  blank = false;
  readonly #special: Uint8Array;
  /** Where the next quote stands, from a record on that was asked for; the length where there is none. */
  #quote = -1;

  /** `atEnd`: nothing comes behind `text`. `endsInCr`: the file's first record ended in a bare CR. */
  constructor(
    private readonly text: Buffer,
    private readonly delimiter: number,
    private readonly atEnd: boolean,
    private readonly endsInCr: boolean,
  ) {
    this.#special = specialBytes(delimiter);
  }

  /** Whether the record that starts at `record` is whole; records are asked for in their order. */
  through(record: number): boolean {
    const { text, endsInCr } = this;
    this.within = 0;
    if (endsInCr) return this.#slowly(record);
    if (this.#quote < record) this.#quote = nextOf(text, QUOTE, record);
    const at = nextOf(text, LF, record);
    if (at >= this.#quote) return this.#slowly(record);
    // Before the next quote every LF ends a record, whatever else is wrong with it.
    return this.#ends(record, at > record && text[at - 1] === CR ? at - 1 : at, at + 1);
  }

  #slowly(record: number): boolean {
    const { text, delimiter, atEnd, endsInCr } = this;
    const special = this.#special;
    const length = text.length;
    let field = record;
    // After a fault in the quoting, quotes mean nothing up to the line end.
    let astray = false;
    // One turn a field or fault.
    for (let i = record; ; ) {
      while (i < length && special[text[i] as number] === 0) i++;
      if (i >= length) return atEnd && this.#ends(record, i, length);
      const byte = text[i];
      if (byte === delimiter) {
        field = ++i;
      } else if (byte === CR) {
        if (i + 1 >= length && !atEnd) return false;
        if (text[i + 1] === LF) return this.#ends(record, i, i + 2);
        if (endsInCr) return this.#ends(record, i, i + 1);
        i++;
      } else if (byte === LF) {
        // The last line of a file of the other kind may end in one.
        if (!endsInCr) return this.#ends(record, i, i + 1);
        if (i + 1 >= length) return atEnd && this.#ends(record, i, length);
        i++;
      } else if (i !== field || astray) {
        astray = true;
        i++;
      } else {
        const close = this.#closing(i);
        if (close + 1 >= length && !atEnd) return false;
        // What is never closed takes all of the rest with it.
        if (close >= length) return this.#ends(record, close, length);
        i = close + 1;
        const after = i < length ? text[i] : LF;
        astray = after !== delimiter && after !== LF && after !== CR;
        // No other field starts before the next delimiter.
        field = -1;
      }
    }
  }

  #ends(record: number, at: number, next: number): true {
    this.blank = at === record;
    this.next = next;
    return true;
  }

  /** Where the quote is closed that is opened at `open`; the length where it is not. */
  #closing(open: number): number {
    const { text, endsInCr } = this;
    const lineEnd = endsInCr ? CR : LF;
    for (let i = open + 1; i < text.length; i++) {
      const byte = text[i];
      if (byte === lineEnd) this.within++;
      if (byte !== QUOTE) continue;
      if (text[i + 1] !== QUOTE) return i;
      i++;
    }
    return text.length;
  }
}

/** Where the next `byte` stands from `from` on; the length where there is none. */
function nextOf(text: Buffer, byte: number, from: number): number {
  const at = text.indexOf(byte, from);
  return at < 0 ? text.length : at;
}
