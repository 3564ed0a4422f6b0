import { RowError } from 'sluice/transforms';

/** As PostgreSQL writes a timestamp(3) or, in UTC, a timestamptz: what both kinds of source give. */
const USUAL = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?)(?:\+00)?$/;
/** ISO 8601 as files have it; without an offset it is UTC. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d(?:\.\d{1,3})?)0*(Z|[+-]\d\d:?\d\d)?)?$/;
/** Milliseconds since 1970, as Prisma has them in an SQLite file. */
const MILLISECONDS = /^-?\d{1,15}$/;
/** 2100-01-01 in seconds: what is no larger is no date of Prisma's, but one in seconds. */
const SECONDS = 4_102_444_800;
/** The years that four digits hold. */
const FIRST = Date.UTC(1000, 0, 1);
const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * A date and time of the old system as the text of a timestamp(3) in UTC, what the new columns are. Text of that form
 * is passed on as it is; milliseconds and ISO 8601 are written like that. NULL stays NULL. Throws RowError
 * `invalid_date` for what is none of these, numbers of the size of seconds, a day that no calendar has, or more precision than milliseconds, which the
 * column could not hold.
 */
export function timestamp(value: unknown, column: string): string | null {
  return value === null || value === undefined ? null : readMoment(value, column);
}

function readMoment(value: unknown, column: string): string {
  const text = String(value);
  const usual = USUAL.exec(text)?.[1];
  if (usual !== undefined && isDay(usual.slice(0, 10))) return usual;
  if (MILLISECONDS.test(text)) {
    const ms = Number(text);
    if (ms >= FIRST && ms <= LAST && (Math.abs(ms) <= 1 || Math.abs(ms) > SECONDS)) return written(ms);
  } else if (usual === undefined) {
    const [, day, time = '00:00:00', zone = 'Z'] = ISO.exec(text) ?? [];
    if (day !== undefined && isDay(day)) {
      const at = Date.parse(
        `${day}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone}`,
      );
      if (!Number.isNaN(at)) return written(at);
    }
  }
  throw new RowError('invalid_date', `${column} is no date and time to the millisecond`, {
    column,
    value,
    expected: 'milliseconds since 1970, or 2025-06-01 12:30:00.000, or 2025-06-01T12:30:00.000Z',
  });
}

/** Whether the calendar has the day; Date takes 30 February for 2 March. */
function isDay(day: string): boolean {
  if (day.slice(5, 7) <= '12' && day.slice(5, 7) >= '01' && day.slice(8) <= '28' && day.slice(8) >= '01')
    return true;
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day);
}

function written(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

/** `timestamp` of a column that must have one; throws RowError `missing_field` for NULL. */
export function moment(value: unknown, column: string): string {
  return readMoment(required(value, column), column);
}

/** A value that must be there; throws RowError `missing_field` for NULL. */
export function required(value: unknown, column: string): string {
  if (value === null || value === undefined)
    throw new RowError('missing_field', `${column} is missing`, { column, value: null, expected: 'a value' });
  return String(value);
}

/** A text that PostgreSQL can hold; NULL stays NULL. Throws RowError `invalid_text` for one with the character NUL. */
export function text(value: unknown, column: string): string | null {
  return value === null || value === undefined ? null : holdable(String(value), column);
}

function holdable(value: string, column: string): string {
  if (!value.includes('\0')) return value;
  throw new RowError('invalid_text', `${column} holds the character NUL`, {
    column,
    value,
    expected: 'a text without the character NUL',
  });
}

/** `text` that must be there; throws RowError `missing_field` for NULL. */
export function someText(value: unknown, column: string): string {
  return holdable(required(value, column), column);
}

/** A whole number that an integer column can hold, which must be there. Throws RowError `missing_field`, `invalid_integer`. */
export function integer(value: unknown, column: string): string {
  const digits = required(value, column);
  if (/^-?\d{1,10}$/.test(digits) && Number(digits) >= -(2 ** 31) && Number(digits) < 2 ** 31) return digits;
  throw new RowError('invalid_integer', `the ${column} "${digits}" is no whole number of 32 bits`, {
    column,
    value,
    expected: 'integer from -2147483648 to 2147483647',
  });
}

/** A boolean of either database as PostgreSQL text. Throws RowError `invalid_boolean` for anything else. */
export function boolean(value: unknown, column: string): 'true' | 'false' {
  switch (typeof value === 'string' ? value : String(value)) {
    case 't':
    case 'true':
    case '1':
      return 'true';
    case 'f':
    case 'false':
    case '0':
      return 'false';
    default:
      throw new RowError('invalid_boolean', `${column} is neither true nor false`, {
        column,
        value,
        expected: '0 or 1',
      });
  }
}
