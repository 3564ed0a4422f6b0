/**
 * Judges the text of one column's value before the server sees it. A guard must accept everything that
 * the server would (the one exception, dates, is told in temporal.ts); it may accept more, for the server
 * has the last word.
 */
export interface Guard {
  /** What would have been right, in words: `integer from -32768 to 32767`. */
  readonly expected: string;
  /**
   * A quick yes from the value's bytes as encoded, for the usual forms of it; on false `accepts` is asked.
   * Bytes, because reading them takes a fraction of what reading a string's characters takes.
   */
  quick?(bytes: Uint8Array, from: number, to: number): boolean;
  accepts(text: string): boolean;
  /** Why `text`, which was not accepted, is wrong: a stable snake_case code. */
  reason(text: string): string;
}

/** `text` without the characters that PostgreSQL's input functions skip at both ends (isspace in the C locale). */
export function trimSpaces(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text.charCodeAt(from))) from++;
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Whether the characters of `text` from `from` to before `to` are all ASCII digits. */
export function digits(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** Whether `bytes` from `from` to before `to` are all ASCII digits. */
export function digitBytes(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const code = bytes[i] as number;
    if (code < 48 || code > 57) return false;
  }
  return true;
}

/** The value of the two bytes at `at` as a number of two digits, -1 where they are no digits. */
export function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] as number) - 48;
  const ones = (bytes[at + 1] as number) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1;
}
