import { isAscii, isUtf8 } from 'node:buffer';
import { firstInvalidUtf8, wholeCharacters } from '../text/encoding.js';

/**
 * The part of the input that is being read: bytes from the start of a record that is not yet whole, and
 * their text. Places are in the text (UTF-16 units), offsets in the input (bytes).
 */
export class TextWindow {
  /** What `decode` made of the bytes; in a window that is not UTF-8, one character a byte. */
  text = '';
  /** Whether some bytes are not UTF-8, so that every record must be looked at. */
  unchecked = false;

  #bytes = Buffer.allocUnsafeSlow(512 * 1024);
  #held = 0;
  #offset = 0;
  #started = false;
  #bytewise = false;
  // A place whose byte in the window is known, so that the next is found from there.
  #markPlace = 0;
  #markByte = 0;

  /** Where in the input the window starts. */
  get offset(): number {
    return this.#offset;
  }

  /** Begins behind the byte order mark that the input may have, at `offset`. Call it before anything else. */
  startAt(offset: number): void {
    this.#offset = offset;
    this.#started = true;
  }

  /** Bytes in the window. */
  get held(): number {
    return this.#held;
  }

  /** Whether `byte` is among those in the window. */
  holds(byte: number): boolean {
    return this.#bytes.subarray(0, this.#held).includes(byte);
  }

  /** Adds `bytes`, of which nothing is kept but a copy. */
  append(bytes: Buffer): void {
    const needed = this.#held + bytes.length;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#held);
      this.#bytes = grown;
    }
    bytes.copy(this.#bytes, this.#held);
    this.#held = needed;
  }

  /**
   * Sets `text` to all whole characters, or to everything at the `final` end; a byte order mark is left
   * out. False where too little is there to tell whether it starts with one.
   */
  decode(final: boolean): boolean {
    let start = 0;
    if (!this.#started) {
      if (!final && this.#held < 3) return false;
      this.#started = true;
      if (this.#held >= 3 && this.#bytes.readUIntBE(0, 3) === 0xefbbbf) start = 3;
    }
    let view: Buffer = this.#bytes.subarray(start, this.#held);
    if (!final) view = wholeCharacters(view);
    const ascii = isAscii(view);
    this.unchecked = !ascii && !isUtf8(view);
    this.#bytewise = ascii || this.unchecked;
    this.text = view.toString(this.#bytewise ? 'latin1' : 'utf8');
    this.#markPlace = 0;
    this.#markByte = start;
    return true;
  }

  /** The offset in the input of the byte at `place`. */
  offsetOf(place: number): number {
    return this.#offset + this.#byteOf(place);
  }

  /** How often `character` stands between two places. */
  count(character: string, from: number, to: number): number {
    let count = 0;
    let at = this.text.indexOf(character, from);
    while (at >= 0 && at < to) {
      count++;
      at = this.text.indexOf(character, at + 1);
    }
    return count;
  }

  /** The first byte between two places that is not UTF-8, in hexadecimal, and its offset in the input. */
  badByte(start: number, end: number): { readonly byte: string; readonly offset: number } | undefined {
    if (!this.unchecked) return undefined;
    const bytes = Buffer.from(this.text.slice(start, end), 'latin1');
    const bad = firstInvalidUtf8(bytes);
    if (bad < 0) return undefined;
    return { byte: bytes.toString('hex', bad, bad + 1), offset: this.offsetOf(start + bad) };
  }

  /** The text between two places for a message: where it is not UTF-8, a character for each byte. */
  raw(start: number, end: number): string {
    const text = this.text.slice(start, end);
    if (!this.unchecked || this.badByte(start, end) !== undefined) return text;
    return Buffer.from(text, 'latin1').toString('utf8');
  }

  /** Lets go of the text, and of the bytes before `place`. */
  drop(place: number): void {
    const bytes = this.#byteOf(place);
    this.text = '';
    this.#bytes.copyWithin(0, bytes, this.#held);
    this.#held -= bytes;
    this.#offset += bytes;
    this.#markPlace = 0;
    this.#markByte = 0;
  }

  #byteOf(place: number): number {
    if (this.#bytewise) return this.#markByte + place;
    if (place >= this.#markPlace) {
      this.#markByte += Buffer.byteLength(this.text.slice(this.#markPlace, place));
    } else {
      this.#markByte -= Buffer.byteLength(this.text.slice(place, this.#markPlace));
    }
    this.#markPlace = place;
    return this.#markByte;
  }
}
