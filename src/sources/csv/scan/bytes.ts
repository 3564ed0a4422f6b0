export const LF = 10;
export const CR = 13;
export const QUOTE = 34;

/** By byte, 1 for those at which a field may end or turn out to be at fault, 0 for all others. */
export function specialBytes(delimiter: number): Uint8Array {
  const special = new Uint8Array(256);
  for (const byte of [LF, CR, QUOTE, delimiter]) special[byte] = 1;
  return special;
}
