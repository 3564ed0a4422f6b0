import { createHash, webcrypto } from 'node:crypto';

/**
 * The SHA-256 of `bytes`, computed on another thread: it takes a tenth of the time that the rows' encoding
 * does, which the encoding need not wait for. The bytes must stay until it resolves.
 */
export async function digestOf(bytes: Uint8Array): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes));
}

/**
 * The rolling hash (hexadecimal) over all segments up to one: of the hash before it (empty at first) and the
 * SHA-256 of the segment's rows in COPY's text format.
 */
export function rolled(before: string, segment: Uint8Array): string {
  return createHash('sha256').update(before).update(segment).digest('hex');
}
