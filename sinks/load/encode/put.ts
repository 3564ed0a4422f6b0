/** What `put` returns in place of a position. */
export const NUL_BYTE = -1;
const LONE_SURROGATE = -2;

/** 1 for the ASCII characters that cannot stand as they are in COPY's text format. */
const UNUSUAL = new Uint8Array(128);
for (const code of [0, 9, 10, 13, 92]) UNUSUAL[code] = 1;

const BACKSLASH = 92;

/**
 * Writes `text` into `bytes` from `at` on as a field of COPY's text format in UTF-8, and returns the
 * position after it. There must be room for 3 bytes for each of its UTF-16 units. What the server cannot
 * hold is found on the way: then NUL_BYTE or LONE_SURROGATE is returned.
 *
 * One loop of our own does the test, the escaping and the encoding in one pass: joining strings, encoding
 * the whole and testing it took about twice as long.
 */
export function put(text: string, bytes: Uint8Array, at: number): number {
  const length = text.length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 128 || UNUSUAL[code] !== 0) return putUnusual(text, i, bytes, at + i);
    bytes[at + i] = code;
  }
  return at + length;
}

function putUnusual(text: string, from: number, bytes: Uint8Array, start: number): number {
  const length = text.length;
  let at = start;
  for (let i = from; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      if (UNUSUAL[code] === 0) {
        bytes[at++] = code;
        continue;
      }
      if (code === 0) return NUL_BYTE;
      bytes[at++] = BACKSLASH;
      // t, n, r or the backslash itself
      bytes[at++] = code === 9 ? 116 : code === 10 ? 110 : code === 13 ? 114 : BACKSLASH;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0xd800 || code > 0xdfff) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      const low = i + 1 < length ? text.charCodeAt(++i) : 0;
      if (code > 0xdbff || low < 0xdc00 || low > 0xdfff) return LONE_SURROGATE;
      const point = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
    }
  }
  return at;
}
