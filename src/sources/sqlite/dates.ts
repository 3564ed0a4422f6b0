import { sqliteErrors } from '../../core/errors/catalogue/sqlite.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import type { Run } from '../../core/run.js';
import type { DateUnit } from '../../core/types.js';
import { ident, literal } from '../../db/quote.js';
import type { SqliteFile } from './database.js';
import { numberIn } from './number-in.js';
import { momentOf } from './values.js';

/** What is asked of all values of a column before one of them is read as a date: of numbers, and texts of a number. */
interface DateFacts {
  readonly numbers: number;
  /** How many of them are reals. */
  readonly reals: number;
  readonly min: number | null;
  readonly max: number | null;
  /** The smallest above 1 and the largest below -1: with the others, between what sizes all are but those close to zero. */
  readonly least: number | null;
  readonly most: number | null;
}

/** 2000-01-01 and 2100-01-01 in seconds. */
const FROM = 946_684_800;
const TO = 4_102_444_800;
/** 1900-01-01 and 2100-01-01 as Julian days. */
const JULIAN = [2_415_020.5, 2_488_069.5] as const;
/** The numbers that can be read as YYYYMMDDHH. */
const HOURS = [1_900_010_100, 2_100_123_123] as const;

/**
 * The units of numbers since 1970, and how many of each make a second. Each begins where the one before ends, with
 * what it would be in 2100, which is the February of 1970 in the next; seconds begin in 1973, since below are numbers
 * such as 2024 and 20240301.
 */
const SIZES = [
  { unit: 'seconds', per: 1, above: 100_000_000 },
  { unit: 'milliseconds', per: 1e3, above: TO },
  { unit: 'microseconds', per: 1e6, above: TO * 1e3 },
  { unit: 'nanoseconds', per: 1e9, above: TO * 1e6 },
] as const;

/**
 * The unit of a column's numbers, where all of them are dates of that unit and of no other: the largest lies in the
 * years 2000 to 2099, and none is so small that it would be one of a smaller unit (0 and -1 are 1970 in all of them).
 * Julian days are told by their fractions, and lie in 1900 to 2099. `text` where there are no numbers; undefined where they
 * fit no unit, or more than one.
 */
function unitOf({ numbers, reals, min, max, least, most }: DateFacts): DateUnit | undefined {
  if (numbers === 0 || min === null || max === null) return 'text';
  if (min >= JULIAN[0] && max <= JULIAN[1] && reals > 0) return 'julian';
  return SIZES.find(
    ({ per, above }) =>
      max >= FROM * per &&
      max < TO * per &&
      min >= -TO * per &&
      (least === null || least > above) &&
      (most === null || most < -above),
  )?.unit;
}

/** SQL for the facts of these columns of a statement, in one reading: a row with an array of JSON for each of them. */
function factsSql(statement: string, columns: readonly string[]): string {
  const cells = columns.map((column, i) => `${numberIn(ident(column))} AS n${i}, ${ident(column)} AS c${i}`);
  const facts = columns.map(
    (
      _,
      i,
    ) => `json_array(count(n${i}), count(CASE WHEN typeof(c${i}) = 'real' THEN 1 END), min(n${i}), max(n${i}),
      min(CASE WHEN n${i} > 1 THEN n${i} END), max(CASE WHEN n${i} < -1 THEN n${i} END)) AS f${i}`,
  );
  // LIMIT keeps SQLite from asking anew what a cell is for each of the figures.
  return `SELECT ${facts.join(',\n    ')} FROM (SELECT ${cells.join(', ')} FROM (${statement}\n) LIMIT -1)`;
}

function factsOf(json: unknown): DateFacts {
  const [numbers, reals, min, max, least, most] = JSON.parse(String(json)) as [
    number,
    number,
    ...(number | null)[],
  ];
  return {
    ...{ numbers, reals },
    ...{ min: min ?? null, max: max ?? null, least: least ?? null, most: most ?? null },
  };
}

/** SQL that counts the numbers of a column that cannot be read as YYYYMMDDHH. */
function notHoursSql(statement: string, column: string): string {
  return `SELECT count(CASE WHEN n <> CAST(n AS INTEGER) OR n % 100 > 23 OR n / 100 % 100 NOT BETWEEN 1 AND 31
      OR n / 10000 % 100 NOT BETWEEN 1 AND 12 THEN 1 END) AS others
    FROM (SELECT ${numberIn(ident(column))} AS n FROM (${statement}\n) LIMIT -1)`;
}

/** SQL that makes milliseconds since 1970 of a cell; null where it is no date. `cell`: quoted for SQL. */
export function millisecondsSql(cell: string, unit: DateUnit): string {
  const number = numberIn(cell);
  const per = SIZES.find((size) => size.unit === unit)?.per;
  const sinceEpoch =
    unit === 'julian'
      ? `(${number} - 2440587.5) * 86400000.0`
      : per === undefined
        ? 'NULL'
        : `${number} * ${1000 / per}`;
  return `CASE WHEN ${number} IS NOT NULL THEN ${sinceEpoch} WHEN typeof(${cell}) = 'text' THEN round((julianday(${cell}) - 2440587.5) * 86400000) END`;
}

/** What a run needs to be for its dates to be asked for: one that remembers what it has found. */
type Asking = Pick<Run, 'share'>;

/** The units of columns that are read as dates, and what is to be said of them, a sentence each. */
export interface Dates {
  readonly units: ReadonlyMap<string, DateUnit>;
  readonly said: readonly string[];
}

/**
 * Decides for all of `columns` of a statement how their dates are stored, by all of their values; asked once in a run.
 * Throws refused `unclear_dates`, which names rows and the way to say it, where that cannot be told of a column.
 */
export async function decideDates(
  file: SqliteFile,
  name: string,
  statement: string,
  columns: readonly string[],
  run: Asking,
): Promise<Dates> {
  if (columns.length === 0) return { units: new Map(), said: [] };
  return run.share(
    `dates of ${JSON.stringify([file.path, name, statement, columns])}`,
    () => decided(file, name, statement, columns),
    () => {},
  );
}

async function decided(
  file: SqliteFile,
  name: string,
  statement: string,
  columns: readonly string[],
): Promise<Dates> {
  const [row = {}] = await file.all(factsSql(statement, columns));
  const units = new Map<string, DateUnit>();
  const said: string[] = [];
  const unclear: string[] = [];
  for (const [i, column] of columns.entries()) {
    const facts = factsOf(row[`f${i}`]);
    const unit = unitOf(facts);
    if (unit === undefined || (await areHours(file, statement, column, facts))) unclear.push(column);
    else {
      units.set(column, unit);
      if (unit !== 'text')
        said.push(`${column} holds ${UNITS[unit]}, up to ${momentOf[unit](String(facts.max))}`);
    }
  }
  const [first] = unclear;
  if (first !== undefined) throw await unclearDates(file, name, statement, unclear);
  return { units, said };
}

/** Whether all numbers of a column can be read as YYYYMMDDHH, which as seconds are the years from 2030 on. */
async function areHours(
  file: SqliteFile,
  statement: string,
  column: string,
  { numbers, min, max }: DateFacts,
): Promise<boolean> {
  if (numbers === 0 || (min ?? 0) < HOURS[0] || (max ?? 0) > HOURS[1]) return false;
  const [row] = await file.all(notHoursSql(statement, column));
  return Number(row?.others) === 0;
}

const UNITS = {
  seconds: 'seconds since 1970',
  milliseconds: 'milliseconds since 1970',
  microseconds: 'microseconds since 1970',
  nanoseconds: 'nanoseconds since 1970',
  julian: 'Julian days',
} as const;

/** Values that are shown of each size. */
const EXAMPLES = 3;

async function unclearDates(
  file: SqliteFile,
  name: string,
  statement: string,
  columns: readonly string[],
): Promise<SluiceError> {
  const details: string[] = [];
  for (const column of columns) {
    const lines = await examples(file, statement, column);
    details.push(...(columns.length === 1 ? lines : [`${column}:`, ...lines.map((line) => `  ${line}`)]));
  }
  const [first] = columns as [string];
  const which = columns.length === 1 ? `column ${first}` : `columns ${columns.join(', ')}`;
  return sqliteErrors.unclear_dates(
    { name, path: file.path, which, column: first, key: key(first) },
    { details },
  );
}

const key = (column: string) => (/^[A-Za-z_$][\w$]*$/.test(column) ? column : JSON.stringify(column));

/** What a column holds, by size, each with its rows' ordinals. */
async function examples(file: SqliteFile, statement: string, column: string): Promise<string[]> {
  const sizes = SIZES.map(
    ({ unit, per, above }) =>
      `WHEN abs(n + 0.0) > ${above} AND abs(n + 0.0) <= ${TO * per} THEN ${literal(`of the size of ${unit} since 1970`)}`,
  );
  const rows = await file.all(
    `SELECT size, count(*) AS rows, json_group_array(json_array(at, n)) FILTER (WHERE nth <= ${EXAMPLES}) AS shown
     FROM (SELECT *, row_number() OVER (PARTITION BY size ORDER BY at) AS nth
       FROM (SELECT at, CAST(n AS TEXT) AS n, CASE WHEN n BETWEEN -1 AND 1 THEN 'the beginning of 1970 in every unit' ${sizes.join(' ')} ELSE 'of no size that a date has' END AS size
         FROM (SELECT row_number() OVER () AS at, ${numberIn('c')} AS n FROM (SELECT ${ident(column)} AS c FROM (${statement}\n))))
       WHERE n IS NOT NULL)
     GROUP BY size ORDER BY count(*) DESC, size`,
  );
  return rows.map(({ size, rows: count, shown }) => {
    const values = (JSON.parse(String(shown)) as [number, string][]).map(([at, n]) => `row ${at}: ${n}`);
    return `${count} ${Number(count) === 1 ? 'is' : 'are'} ${size}: ${values.join(', ')}${Number(count) > EXAMPLES ? ', …' : ''}`;
  });
}
