/** `--max-rejects`: a number of rows, or a share of the rows read. */
export type RejectLimit = { readonly rows: number } | { readonly share: number };

/** How many of `read` rows may be rejected. */
export function allowedRejects(limit: RejectLimit, read: number): number {
  // 29 % is 0.29, of which a hundred is 28.999999999999996 in floating point.
  return 'rows' in limit ? limit.rows : Math.floor(rounded(limit.share * read));
}

/** The limit as it was given: `10`, `0.5%`. */
export function describeLimit(limit: RejectLimit): string {
  return 'rows' in limit ? String(limit.rows) : `${rounded(limit.share * 100)}%`;
}

const rounded = (n: number) => Number(n.toPrecision(14));

/** Parses `--max-rejects N|P%`; undefined where the text is neither. */
export function parseRejectLimit(text: string): RejectLimit | undefined {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  if (match === null) return undefined;
  const number = Number(match[1]);
  if (match[2] === '%') return number <= 100 ? { share: number / 100 } : undefined;
  return Number.isInteger(number) ? { rows: number } : undefined;
}
