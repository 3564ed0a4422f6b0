/** Bytes that a number of JSON is made of, by what they make it: a digit or sign, a point, an exponent. */
const PART = new Uint8Array(256);
for (const sign of '+-0123456789') PART[sign.charCodeAt(0)] = 1;
PART[0x2e] = 2;
PART[0x65] = 4;
PART[0x45] = 4;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const ZERO = 0x30;
const MINUS = 0x2d;

/** A double holds every decimal of this many digits (DBL_DIG). */
const SAFE_DIGITS = 15;

/**
 * What one pass over the bytes of a JSON value sees, and JSON.parse does not tell: how many keys it has, how deep it
 * is, and numbers that JavaScript may write otherwise. One is used again and again; it takes about 1 ns a byte. For
 * bytes that are no JSON it says something or other, and never throws.
 */
export class JsonScan {
  /** Keys of all objects in it, each as often as it stands there. */
  keys = 0;
  /** Levels of arrays and objects. */
  depth = 0;
  /** How many numbers there are that JavaScript may write otherwise; `spans` has where each begins and ends. */
  numbers = 0;
  spans = new Uint32Array(64);

  /** Looks at the bytes from `from` to before `to`. */
  over(bytes: Uint8Array, from: number, to: number): void {
    let keys = 0;
    let level = 0;
    let depth = 0;
    this.numbers = 0;
    for (let i = from; i < to; i++) {
      const byte = bytes[i] as number;
      if (byte === QUOTE) {
        for (i++; i < to; i++) {
          const inside = bytes[i] as number;
          if (inside === QUOTE) break;
          if (inside === BACKSLASH) i++;
        }
      } else if (byte === COLON) keys++;
      else if (byte === MINUS || (byte >= ZERO && byte <= 0x39)) {
        const start = i;
        let parts = 0;
        for (let part = 1; part !== 0 && i < to; part = PART[bytes[i] as number] as number) {
          parts |= part;
          i++;
        }
        if (parts !== 1 || i - start > SAFE_DIGITS || byte === MINUS)
          if (mayDiffer(bytes, start, i, parts)) this.#add(start, i);
        i--;
      } else if (byte === 0x7b || byte === 0x5b) {
        if (++level > depth) depth = level;
      } else if (byte === 0x7d || byte === 0x5d) level--;
    }
    this.keys = keys;
    this.depth = depth;
  }

  #add(from: number, to: number): void {
    const at = this.numbers++ * 2;
    if (at === this.spans.length) {
      const longer = new Uint32Array(this.spans.length * 2);
      longer.set(this.spans);
      this.spans = longer;
    }
    this.spans[at] = from;
    this.spans[at + 1] = to;
  }
}

/** Whether JavaScript may write the number otherwise. True for all of 2^52 and more, and for all with an exponent. */
function mayDiffer(bytes: Uint8Array, from: number, to: number, parts: number): boolean {
  if (to - from > SAFE_DIGITS || parts >= 4) return true;
  const first = bytes[from] === MINUS ? from + 1 : from;
  if (parts === 1) return first > from && bytes[first] === ZERO;
  // 0.50 is written 0.5, and what is less than a millionth has an exponent.
  return bytes[to - 1] === ZERO || (bytes[first] === ZERO && to - first > 7 && bytes[first + 6] === ZERO);
}

/** How many keys the objects in `text`, which is JSON, have, each as often as it stands there. */
export function keysIn(text: string): number {
  let keys = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) keys++;
    if (code !== QUOTE) continue;
    for (i++; i < text.length; i++) {
      const inside = text.charCodeAt(i);
      if (inside === QUOTE) break;
      if (inside === BACKSLASH) i++;
    }
  }
  return keys;
}
