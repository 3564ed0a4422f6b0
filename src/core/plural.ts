/** The form of a word for `n` of it: `row` for 1, else `rows`, or `many` where that is irregular. */
export function noun(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? one : many;
}

/** `n` with the word for it: `1 row`, `12 rows`; the number may be given as it is to be shown. */
export function plural(n: number, one: string, many?: string, shown = String(n)): string {
  return `${shown} ${noun(n, one, many)}`;
}

/** `n` of a query that gives `most` rows at the most: `1000 or more` then. */
export function orMore(n: number, most = 1000): string {
  return n >= most ? `${most} or more` : String(n);
}

/** Those of `total` things that are named, and a line that counts the others: `… and 12 more`. */
export function withRest(named: readonly string[], total: number): string[] {
  return total > named.length ? [...named, `… and ${total - named.length} more`] : [...named];
}

/** 1234567 → "1,234,567", of whole numbers. Without Node's own, which takes 25 ms to wake up. */
export function count(n: number): string {
  const digits = String(Math.abs(n));
  const groups: string[] = [];
  for (let end = digits.length; end > 0; end -= 3) groups.unshift(digits.slice(Math.max(0, end - 3), end));
  return `${n < 0 ? '-' : ''}${groups.join(',')}`;
}

/** Bytes in binary units: 172 MiB. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = n;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
