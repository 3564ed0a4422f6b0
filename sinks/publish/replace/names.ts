import { createHash } from 'node:crypto';
import type { OfBatch } from '../../../src/db/own-schemas.js';
import { MAX_IDENTIFIER_BYTES } from '../../../src/db/quote.js';

/** The schemas of a batch: where its tables are staged, and where the ones they replace are kept. */
export interface StagingNames extends OfBatch {
  readonly staging: string;
  readonly old: string;
}

/**
 * The batch's schemas for each live schema: a staged table keeps its name, and two live schemas may hold
 * tables of one name, so the second live schema (in order of appearance) gets `<name>_2` and so on.
 */
export function schemasFor(
  tables: readonly { readonly schema: string }[],
  names: StagingNames,
): Map<string, StagingNames> {
  const schemas = new Map<string, StagingNames>();
  for (const { schema } of tables) {
    if (schemas.has(schema)) continue;
    const suffix = schemas.size === 0 ? '' : `_${schemas.size + 1}`;
    schemas.set(schema, { staging: names.staging + suffix, old: names.old + suffix });
  }
  return schemas;
}

/** How the names end that swapName gives. */
export const SWAP_KEY = '__swap';

/**
 * The name that an inbound foreign key has while both the old and the new one are on its table. Names over
 * 63 bytes would be cut by the server to the same one, so a long name is cut here and marked by its hash.
 */
export function swapName(name: string): string {
  const whole = `${name}${SWAP_KEY}`;
  if (Buffer.byteLength(whole) <= MAX_IDENTIFIER_BYTES) return whole;
  const mark = `_${createHash('sha256').update(name).digest('hex').slice(0, 10)}${SWAP_KEY}`;
  let kept = name;
  while (Buffer.byteLength(kept + mark) > MAX_IDENTIFIER_BYTES) kept = [...kept].slice(0, -1).join('');
  return kept + mark;
}
