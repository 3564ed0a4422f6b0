import type { FieldCheck } from '../../../core/field-check.js';
import { QUOTE } from './bytes.js';

/** Used again for every field that fits in it. */
const SCRATCH = new Uint8Array(16 * 1024);

/** What `check` says of the content [start, end) of a quoted field in which every quote is doubled. */
export function checkUndoubled(check: FieldCheck, bytes: Uint8Array, start: number, end: number): boolean {
  const plain = end - start <= SCRATCH.length ? SCRATCH : new Uint8Array(end - start);
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    plain[length++] = byte;
    if (byte === QUOTE) i++;
  }
  return check(plain, 0, length);
}
