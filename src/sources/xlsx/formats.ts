import { dateText, momentText, timeText } from '../moments.js';

/** What a number is by the format that its cell is shown in. */
export type NumberKind = 'number' | 'date' | 'time' | 'moment' | 'duration';

/**
 * Formats that files name by their number alone (ECMA-376, 18.8.30); those above 26 are of East Asian Excels, which other
 * ones show as dates and times, too.
 */
const BUILT_IN: Readonly<Record<number, NumberKind>> = {
  ...of([14, 15, 16, 17, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58], 'date'),
  ...of([18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56], 'time'),
  22: 'moment',
  46: 'duration',
};

function of(ids: readonly number[], kind: NumberKind): Record<number, NumberKind> {
  return Object.fromEntries(ids.map((id) => [id, kind]));
}

/** What numbers are that are shown by the format `id`, whose code is `code` where the file has one. */
export function kindOfFormat(id: number, code: string | undefined): NumberKind {
  if (code === undefined) return BUILT_IN[id] ?? 'number';
  // Texts in quotes, single characters that stand for themselves, colours, conditions and languages.
  const [first = ''] = code.replace(/"[^"]*"|\\.|_.|\*./g, '').split(';');
  const isElapsed = /\[(?:h+|m+|s+)\]/i.test(first);
  const plain = first.replace(/\[[^[\]]*\]/g, '').replace(/general/gi, '');
  if (isElapsed) return 'duration';
  const clock = /[hs]|am\/pm|a\/p/i.test(plain);
  // An exponent, which is no era.
  const letters = plain.replace(/e[+-]/gi, '').replace(/am\/pm|a\/p/gi, '');
  const day = /[ydeb]/i.test(letters) || (!clock && /m/i.test(letters));
  if (day) return clock ? 'moment' : 'date';
  return clock ? 'time' : 'number';
}

const DAY_MS = 86_400_000;

/** The last day that Excel shows: 9999-12-31. */
const LAST_DAY = 2_958_465;

/**
 * The number of a day and the fraction of it, as Excel counts from 1900 or, by `from1904`, from 1904, as PostgreSQL writes
 * what it is: to the millisecond, which is as far as Excel's own are exact. A date with a time of day is a timestamp, a time
 * without a day a time. undefined where it is none: out of Excel's years, or the 29th of February 1900, which it has for the
 * sake of Lotus 1-2-3.
 */
export function dayNumberText(
  serial: number,
  kind: Exclude<NumberKind, 'number'>,
  from1904: boolean,
): string | undefined {
  const millis = Math.round(serial * DAY_MS);
  const day = Math.floor(millis / DAY_MS);
  const rest = millis - day * DAY_MS;
  if (kind === 'duration') {
    const sign = millis < 0 ? '-' : '';
    const count = Math.abs(millis);
    const hours = Math.floor(count / 3_600_000);
    return `${sign}${String(hours).padStart(2, '0')}${timeText(BigInt(count % 3_600_000), 'MILLIS').slice(2)}`;
  }
  if (!(serial >= 0 && day <= LAST_DAY)) return undefined;
  if (day === 0 && !from1904) return timeText(BigInt(rest), 'MILLIS');
  if (day === 0 && kind === 'time') return timeText(BigInt(rest), 'MILLIS');
  if (day === 60 && !from1904) return undefined;
  const since1970 = from1904 ? day - 24_107 : day > 60 ? day - 25_569 : day - 25_568;
  if (rest === 0 && kind === 'date') return dateText(since1970);
  return momentText(BigInt(since1970) * BigInt(DAY_MS) + BigInt(rest), 'MILLIS', false);
}

/** A number with as many digits as a double's; more of them can only have been written by whoever has more. */
const MOST_DIGITS = 17;

/**
 * A number as the file has it, in the fewest digits that are the same double: Excel writes 1.1 as 1.1000000000000001. A whole
 * number in plain digits, and one of more digits than a double has, is as it stands there.
 */
export function numberText(stored: string): string | undefined {
  const text = stored.trim();
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  if (/^-?\d+$/.test(text)) return text;
  const [mantissa = ''] = text.split(/[eE]/);
  const digits = mantissa.replace(/\D/g, '').replace(/^0+/, '');
  return digits.length > MOST_DIGITS ? text : String(Number(text));
}
