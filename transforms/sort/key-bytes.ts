/**
 * The key of a row in an order, as bytes: comparing two keys byte by byte compares the rows. One is used
 * again for every row, so that a sort makes no strings.
 */
export class KeyBytes {
  /** Only the first `length` bytes count. Replaced by a longer one as keys need it. */
  bytes: Uint8Array = new Uint8Array(1024);
  length = 0;

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const longer = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2));
    longer.set(this.bytes.subarray(0, this.length));
    this.bytes = longer;
  }

  /** Appends ASCII characters. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[this.length + i] = text.charCodeAt(i);
    this.length += text.length;
  }

  /**
   * Appends text in an encoding that sorts by code point and ends in NUL: UTF-8 (a lone surrogate in three
   * bytes of its own), where NUL and U+0001 inside are escaped.
   */
  text(text: string): void {
    this.reserve(text.length * 3 + 1);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 1 && unit < 0x80) {
        bytes[at++] = unit;
      } else if (unit <= 1) {
        bytes[at++] = 1;
        bytes[at++] = unit + 1;
      } else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else {
        const point = text.codePointAt(i) as number;
        if (point < 0x10000) {
          bytes[at++] = 0xe0 | (unit >> 12);
        } else {
          bytes[at++] = 0xf0 | (point >> 18);
          bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
          i++;
        }
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[at++] = 0x80 | (point & 0x3f);
      }
    }
    bytes[at++] = 0;
    this.length = at;
  }

  /** Turns the order of what was appended from `from` on round. */
  invert(from: number): void {
    for (let i = from; i < this.length; i++) this.bytes[i] = 0xff - (this.bytes[i] as number);
  }
}

/** Below 0 where the first key comes before the second, 0 where they are equal, else above 0. */
export function compareBytes(
  a: Uint8Array,
  aFrom: number,
  aLength: number,
  b: Uint8Array,
  bFrom: number,
  bLength: number,
): number {
  const shared = Math.min(aLength, bLength);
  for (let i = 0; i < shared; i++) {
    const difference = (a[aFrom + i] as number) - (b[bFrom + i] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}
