import { digits, type Guard, trimSpaces, twoDigits } from './column-check.js';

/*
 * Here a guard refuses what the server might accept, on purpose (as jsonb's does for a key twice). PostgreSQL reads
 * 01/02/2024 by the session's DateStyle, so the same file gives two different tables on two servers, and
 * `today` gives another table tomorrow. A date here starts with its year (four digits or more), which every
 * DateStyle reads alike, or is infinity or -infinity; anything else is a reject that says which transform
 * to use. Within year-first texts only what is surely wrong is refused (month 13, 30 February, hour 25);
 * the rest is the server's to judge.
 */

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const YEAR_FIRST = /^\d{4}/;
const INFINITE = /^-?infinity$/i;
const BEFORE_CHRIST = /bc/i;

const HINT = '; for other forms use the date transform';

/** The guard of date, and of the date of a timestamp. */
export function dateGuard(): Guard {
  return temporal(`date as YYYY-MM-DD${HINT}`, 'not_a_date');
}

/** The guard of timestamp and timestamptz: as for a date, and hour, minute and second within their range. */
export function timestampGuard(base: 'timestamp' | 'timestamptz'): Guard {
  const zone = base === 'timestamptz' ? '[+HH:MM]' : '';
  return temporal(`timestamp as YYYY-MM-DD HH:MM:SS${zone}${HINT}`, 'not_a_timestamp');
}

function temporal(expected: string, code: string): Guard {
  function accepts(given: string): boolean {
    const text = trimSpaces(given);
    if (!isDateShaped(text)) return YEAR_FIRST.test(text) || INFINITE.test(text);
    if (isRealDate(text) && (text.length === 10 || isTimeOfDay(text.slice(11)))) return true;
    // The leap years before Christ are others.
    return BEFORE_CHRIST.test(text);
  }
  return { expected, quick, accepts, reason: () => code };
}

/** YYYY-MM-DD with a day that every month has, at the end or before HH:MM:SS and whatever follows it. */
function quick(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length !== 10 && length < 19) return false;
  if (bytes[from + 4] !== 45 || bytes[from + 7] !== 45) return false;
  if (twoDigits(bytes, from) < 1 || twoDigits(bytes, from + 2) < 0) return false;
  const month = twoDigits(bytes, from + 5);
  const day = twoDigits(bytes, from + 8);
  if (month < 1 || month > 12 || day < 1 || day > 28) return false;
  return length === 10 || quickTime(bytes, from);
}

function quickTime(bytes: Uint8Array, from: number): boolean {
  if (bytes[from + 10] !== 32 && bytes[from + 10] !== 84) return false;
  if (bytes[from + 13] !== 58 || bytes[from + 16] !== 58) return false;
  const hour = twoDigits(bytes, from + 11);
  const minute = twoDigits(bytes, from + 14);
  const second = twoDigits(bytes, from + 17);
  return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
}

/** DDDD-DD-DD, at the end or followed by a space or a T. */
function isDateShaped(text: string): boolean {
  const length = text.length;
  if (length < 10 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return false;
  if (!digits(text, 0, 4) || !digits(text, 5, 7) || !digits(text, 8, 10)) return false;
  if (length === 10) return true;
  const after = text.charCodeAt(10);
  return after === 32 || after === 84 || after === 116;
}

function isRealDate(text: string): boolean {
  const month = two(text, 5);
  const day = two(text, 8);
  if (day <= 28) return month >= 1 && month <= 12 && day >= 1 && !text.startsWith('0000');
  if (month < 1 || month > 12) return false;
  const year = two(text, 0) * 100 + two(text, 2);
  if (year === 0) return false;
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (DAYS[month - 1] as number) + (leap ? 1 : 0);
}

const CLOCK = /^(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?$/i;

/** Whether `text` may be a time of day: false only for an HH:MM[:SS] with a part out of range. */
function isTimeOfDay(text: string): boolean {
  const match = CLOCK.exec(text);
  if (match === null) return true;
  // 24:00:00 and second 60 are the server's to judge.
  return Number(match[1]) <= 24 && Number(match[2]) <= 59 && Number(match[3] ?? 0) <= 60;
}

function two(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}

const SOME_DIGIT = /\d/;
// PostgreSQL's word for midnight UTC; `now` is refused for the reason above.
const MIDNIGHT = /^[ \t\n\v\f\r]*allballs/i;
// ISO 8601's empty period, P or PT, is 0; infinity exists from PostgreSQL 17 on.
const INTERVAL_WORDS = /infinity|^[ \t\n\v\f\r]*P/i;

/** The guard of time and timetz: HH:MM[:SS] within range; other texts with a digit go to the server. */
export function timeGuard(): Guard {
  return {
    expected: 'time of day as HH:MM:SS',
    accepts: (text) => (SOME_DIGIT.test(text) ? isTimeOfDay(text) : MIDNIGHT.test(text)),
    reason: () => 'not_a_time',
  };
}

/** The guard of interval: whatever has a digit goes to the server, and so do infinity and P. */
export function intervalGuard(): Guard {
  return {
    expected: "interval such as '1 day 02:03:04' or 'P1DT2H3M4S'",
    accepts: (text) => SOME_DIGIT.test(text) || INTERVAL_WORDS.test(text),
    reason: () => 'not_an_interval',
  };
}
