import { createHash } from 'node:crypto';

/** The SHA-256 of `bytes`. On this thread: the copy that another one would be given takes as long as the hash. */
export function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/**
 * The rolling hash (hexadecimal) over all segments up to one: of the hash before it (empty at first) and the
 * SHA-256 of the segment's rows in COPY's text format.
 */
export function rolled(before: string, segment: Uint8Array): string {
  return createHash('sha256').update(before).update(segment).digest('hex');
}
