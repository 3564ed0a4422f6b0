import { headerErrors } from '../core/errors/catalogue/headers.js';
import { MAX_IDENTIFIER_BYTES } from '../db/quote.js';

/** Columns that every table of PostgreSQL has already, hidden ones. */
const HIDDEN = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** Why a column cannot have this name; undefined where it can. */
export function unfit(name: string): string | undefined {
  return HIDDEN.has(name) ? 'every table has a hidden column of that name' : noName(name);
}

/** Why nothing in PostgreSQL can have this name; undefined where it can be a name. */
export function noName(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (name.includes('\0')) return 'it has a NUL in it';
  const bytes = Buffer.byteLength(name);
  return bytes <= MAX_IDENTIFIER_BYTES
    ? undefined
    : `it has ${bytes} bytes, and PostgreSQL allows ${MAX_IDENTIFIER_BYTES}`;
}

/** How a column of the new table is called where nobody says it: as SQL folds a name that is not quoted. */
export const folded = (name: string): string => name.trim().toLowerCase();

/** A column of a file that the new table cannot have by its own name. */
interface Unfit {
  /** As --map names it: by its position (`#3`), or by its key. */
  readonly name: string;
  /** What the file calls it. */
  readonly cell: string;
  readonly position: number;
}

/** A name that it can have: its first words, and its position, so that no two are the same. */
function suggested({ cell, position }: Unfit): string {
  let words = folded(cell)
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_|_$/g, '');
  while (Buffer.byteLength(words) > 40)
    words = words.slice(0, words.lastIndexOf('_') > 0 ? words.lastIndexOf('_') : -1);
  return `${words === '' ? 'column' : words}_${position}`;
}

/**
 * Throws usage errors for columns of a CSV file that have no name of their own, or one that no column can have, and are
 * neither mapped nor skipped: all of them at once, since who follows the advice should not have to come back for the next.
 */
export function assertNamed(
  input: string,
  called: readonly string[],
  header: readonly string[],
  map: Readonly<Record<string, string>>,
  skip: readonly string[],
): void {
  const left: Unfit[] = [];
  for (const [i, name] of called.entries()) {
    if (Object.hasOwn(map, name) || skip.includes(name)) continue;
    const cell = header[i] as string;
    if (name === cell && unfit(folded(name)) === undefined) continue;
    left.push({ name: called.includes(`#${i + 1}`) ? name : `#${i + 1}`, cell, position: i + 1 });
  }
  const [first] = left;
  if (first === undefined) return;
  const { cell, position } = first;
  const unnamed = { input, at: String(position), ...ways(left, skip) };
  if (cell === '') throw headerErrors.unnamed_column.inNewTable(unnamed);
  const why = unfit(folded(cell));
  throw why === undefined
    ? headerErrors.duplicate_column.inNewTable({ ...unnamed, cell })
    : headerErrors.bad_name.inHeader({ ...unnamed, cell, why });
}

/** The same for keys of JSON, each with its position among those that rows have. */
export function assertKeysFit(
  input: string,
  keys: readonly { readonly name: string; readonly position: number }[],
  skip: readonly string[],
): void {
  const left = keys
    .filter(({ name }) => unfit(folded(name)) !== undefined)
    .map((key) => ({ ...key, cell: key.name }));
  const [first] = left;
  if (first === undefined) return;
  const why = unfit(folded(first.cell)) as string;
  throw headerErrors.bad_name.key({ input, cell: first.cell, why, ...ways(left, skip) });
}

const ways = (left: readonly Unfit[], skip: readonly string[]) => ({
  left: left.map(({ name }) => name),
  skip,
  naming: left.map((each) => `${each.name}=${suggested(each)}`),
});
