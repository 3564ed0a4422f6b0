import { withoutEnd } from '../core/ends.js';

/** Days, times and moments as PostgreSQL writes them, out of whole numbers. */

const DAY = 86_400n;

/** Seconds are so many of the unit. */
export type Unit = 'MILLIS' | 'MICROS' | 'NANOS';

const PER_SECOND: Readonly<Record<Unit, bigint>> = {
  MILLIS: 1_000n,
  MICROS: 1_000_000n,
  NANOS: 1_000_000_000n,
};

const known = new Map<number, string>();

/**
 * A day since 1970 as `2024-03-01`, in the Gregorian calendar at any time; the days of a table are few.
 * https://howardhinnant.github.io/date_algorithms.html#civil_from_days
 */
function dayText(days: number): { readonly day: string; readonly era: '' | ' BC' } {
  const found = known.get(days);
  if (found !== undefined) return { day: found, era: '' };
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  // There is no year 0: 1 BC comes before 1.
  const text = `${digits(year > 0 ? year : 1 - year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  if (year <= 0) return { day: text, era: ' BC' };
  if (known.size > 10_000) known.clear();
  known.set(days, text);
  return { day: text, era: '' };
}

/** A day since 1970. */
export function dateText(days: number): string {
  const { day, era } = dayText(days);
  return day + era;
}

/** A time since midnight, with the digits of its fraction that are not zeros at its end. */
export function timeText(count: bigint, unit: Unit): string {
  const per = PER_SECOND[unit];
  const seconds = Number(count / per);
  const clock = `${digits(Math.floor(seconds / 3600), 2)}:${digits(Math.floor(seconds / 60) % 60, 2)}:${digits(seconds % 60, 2)}`;
  const rest = count % per;
  if (rest === 0n) return clock;
  const fraction = withoutEnd(String(rest).padStart(String(per).length - 1, '0'), /0/);
  return `${clock}.${fraction}`;
}

/** A moment since 1970; `utc`: with the offset +00. */
export function momentText(count: bigint, unit: Unit, utc: boolean): string {
  const perDay = PER_SECOND[unit] * DAY;
  const rest = ((count % perDay) + perDay) % perDay;
  const { day, era } = dayText(Number((count - rest) / perDay));
  return `${day} ${timeText(rest, unit)}${utc ? '+00' : ''}${era}`;
}

const digits = (number: number, least: number) => String(number).padStart(least, '0');
