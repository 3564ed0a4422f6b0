/** The form of a word for `n` of it: `row` for 1, else `rows`, or `many` where that is irregular. */
export function noun(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? one : many;
}

/** `n` with the word for it: `1 row`, `12 rows`; the number may be given as it is to be shown. */
export function plural(n: number, one: string, many?: string, shown = String(n)): string {
  return `${shown} ${noun(n, one, many)}`;
}
