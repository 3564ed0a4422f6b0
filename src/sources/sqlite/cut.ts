import { loadErrors } from '../../core/errors/catalogue/load.js';
import type { Cut, CutOptions, KnownPart, Part, PartPlace, PartReader, Uncut } from '../../core/parts.js';
import type { Rows } from '../../core/row.js';
import type { Run } from '../../core/run.js';
import { ident } from '../../db/quote.js';
import type { Range, RangePlace } from '../ranges.js';
import type { SqliteFile } from './database.js';

/** Fewer rows in a part cost more than they are worth, and of more too many are lost where it is read again. */
const LEAST_ROWS = 20_000;
const MOST_ROWS = 400_000;

/** Parts for each that reads them: the last ones are then done at about the same time. */
const PARTS_EACH = 4;

/** Where a part is not to have more than some bytes, rows are taken to have so many. */
const ROW_BYTES = 64;

/** Names of a table's row number, as far as it has no column of the name. */
const ROWIDS = ['rowid', '_rowid_', 'oid'];

/** What is cut: a table of a file. */
export interface CutTable {
  readonly file: SqliteFile;
  /** As messages name it. */
  readonly name: string;
  readonly table: string;
  /** The names of its columns. */
  readonly columns: readonly string[];
  /** The rows of the statement `sql`, which are those at `place`. */
  read(run: Run, sql: string, place: PartPlace): Rows;
}

/**
 * A table cut at row numbers, which is the order in which it is read in one piece, too: so rows have the same ordinals. One
 * that has none, or few rows, is not cut, and it is said why. Throws refused `not_repeatable` where known parts are none any more.
 */
export async function cutTable(of: CutTable, how: CutOptions): Promise<Cut | Pick<Required<Uncut>, 'why'>> {
  const { name, table } = of;
  const { known, readers = 1 } = how;
  const found = known.length === 0 && readers < 2 ? { why: 'one session reads it' } : await rowidOf(of);
  if ('why' in found) {
    if (known.length > 0) throw loadErrors.not_repeatable.uncut({ input: name, why: found.why });
    return found;
  }
  const { rowid, rows } = found;
  const size = rowsOfPart(rows, how);
  if (rows < 2 * size && known.length === 0) return { why: 'its table is small' };
  const places = await placesIn(of, { rowid, rows, size }, known);
  const passed = new Set(known.filter(({ pass }) => pass).map(({ start }) => start));
  const opening: CutOpening = { rowid };
  return {
    opening,
    byPlace: true,
    said: `${places.length} parts by the row numbers of ${table}`,
    ...partsAt(of, opening),
    async *parts() {
      for (const place of places) if (!passed.has(place.start)) yield partAt(of, opening, place);
    },
  };
}

/** What whoever reads a part of a table has to know: what its row numbers are called. */
export interface CutOpening {
  readonly rowid: string;
}

/** Gives parts of a table that `cutTable` has cut. */
export function partsAt(of: Omit<CutTable, 'file' | 'name' | 'columns'>, opening: CutOpening): PartReader {
  return { part: async (place) => partAt(of, opening, place as RangePlace) };
}

function partAt(
  { table, read }: Omit<CutTable, 'file' | 'name' | 'columns'>,
  { rowid }: CutOpening,
  place: RangePlace,
): Part {
  return {
    ...place,
    read: (run) => read(run, statementOf(table, rowid, place.of), place),
    note: () => place.of,
    release() {},
  };
}

function rowsOfPart(rows: number, { partBytes, readers = 1 }: CutOptions): number {
  if (partBytes !== undefined) return Math.max(1, Math.floor(partBytes / ROW_BYTES));
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, Math.ceil(rows / (PARTS_EACH * readers))));
}

interface Numbered {
  /** What the table's row numbers are called. */
  readonly rowid: string;
  readonly rows: number;
}

/** How the table's rows are numbered, if they are, and if they come in that order. */
async function rowidOf({ file, table, columns }: CutTable): Promise<Numbered | { readonly why: string }> {
  const named = literalOf(table);
  const [kind] = await file.all(`SELECT type, wr FROM pragma_table_list(${named}) WHERE schema = 'main'`);
  if (kind?.type !== 'table' || Number(kind.wr) !== 0)
    return { why: 'its rows have no numbers (a view, or WITHOUT ROWID)' };
  const taken = new Set(columns.map((column) => column.toLowerCase()));
  const rowid = ROWIDS.find((each) => !taken.has(each));
  if (rowid === undefined) return { why: 'its row numbers are hidden by columns' };
  const plan = await file.all(`EXPLAIN QUERY PLAN SELECT * FROM ${ident(table)}`);
  if (plan.some(({ detail }) => String(detail).includes('INDEX')))
    return { why: 'it is read in the order of an index' };
  const [counted] = await file.all(`SELECT count(*) AS n FROM ${ident(table)}`);
  return { rowid, rows: Number(counted?.n) };
}

/** Known parts as they were, what is between them, and what is behind in parts of `size` rows. */
async function placesIn(
  { file, name, table }: CutTable,
  { rowid, rows, size }: Numbered & { readonly size: number },
  known: readonly KnownPart[],
): Promise<RangePlace[]> {
  const places: RangePlace[] = [];
  let at = 0;
  let from: string | undefined;
  const add = (end: number, to: string | undefined) => {
    const of = { by: 'rowid', ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
    places.push({ start: at, end, line: at + 1, lines: end - at, of });
    at = end;
    from = to;
  };
  for (const { start, end, note } of known) {
    const range = note as Range | undefined;
    if (range?.by !== 'rowid' || start < at || end > rows)
      throw loadErrors.not_repeatable.otherwise({ input: name, by: 'rowid' });
    if (start > at) add(start, range.from);
    add(end, range.to);
  }
  while (at < rows) {
    const behind = from === undefined ? '' : ` WHERE ${rowid} >= ${number(from)}`;
    const [next] = await file.all(
      `SELECT CAST(${rowid} AS TEXT) AS r FROM ${ident(table)}${behind} ORDER BY ${rowid} LIMIT 1 OFFSET ${size}`,
    );
    add(next === undefined ? rows : at + size, next === undefined ? undefined : String(next.r));
  }
  return places;
}

function statementOf(table: string, rowid: string, { from, to }: Range): string {
  const conditions = [
    ...(from === undefined ? [] : [`${rowid} >= ${number(from)}`]),
    ...(to === undefined ? [] : [`${rowid} < ${number(to)}`]),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `SELECT * FROM ${ident(table)}${where} ORDER BY ${rowid}`;
}

const number = (text: string) => `CAST(${literalOf(text)} AS INTEGER)`;

const literalOf = (text: string) => `'${text.replaceAll("'", "''")}'`;
