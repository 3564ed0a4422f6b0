/** What else than commas may stand between fields, the usual first. */
const DELIMITERS = [';', '\t', '|'] as const;

/** What seems to stand between the columns of a file whose header was read as a single one; undefined where nothing does. */
export function likelyDelimiter(columns: readonly string[]): string | undefined {
  const [only] = columns;
  if (only === undefined || columns.length > 1) return undefined;
  return [...DELIMITERS, ','].find((character) => only.includes(character));
}
