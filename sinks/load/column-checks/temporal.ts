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

/**
 * A real date as YYYY-MM-DD, at the end or before a time of day; any other text that starts with a year; infinity.
 */
function quick(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length < 4) return false;
  const century = twoDigits(bytes, from);
  const years = twoDigits(bytes, from + 2);
  if (century < 0 || years < 0) return isInfinity(bytes, from, to);
  if (length < 10 || bytes[from + 4] !== 45 || bytes[from + 7] !== 45) return true;
  const month = twoDigits(bytes, from + 5);
  const day = twoDigits(bytes, from + 8);
  const year = century * 100 + years;
  if (month < 1 || month > 12 || day < 1 || year === 0) return false;
  if (day > 28 && day > daysOf(month, year)) return false;
  if (length === 10) return true;
  return (bytes[from + 10] === 32 || bytes[from + 10] === 84) && quickTime(bytes, from + 11, to);
}

/** HH:MM or HH:MM:SS within range, and whatever follows it. */
function quickTime(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length < 5 || bytes[from + 2] !== 58) return false;
  const hour = twoDigits(bytes, from);
  const minute = twoDigits(bytes, from + 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
  if (length === 5 || bytes[from + 5] !== 58) return true;
  const second = length < 8 ? -1 : twoDigits(bytes, from + 6);
  return second >= 0 && second <= 59;
}

const INFINITY = Buffer.from('infinity');

function isInfinity(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from] === 45 ? from + 1 : from;
  return to - first === INFINITY.length && INFINITY.every((byte, i) => bytes[first + i] === byte);
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
  return day <= daysOf(month, year);
}

function daysOf(month: number, year: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return (DAYS[month - 1] as number) + (leap ? 1 : 0);
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
    quick: quickTime,
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
