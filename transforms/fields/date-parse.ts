import { stageErrors } from '../../src/core/errors/catalogue/stages.js';
import { FieldError, type Note, type TextField } from './field.js';

/** The formats of the import (T-018, docs/okvet-import.md), in their order: where day and month could be either, the day comes first. */
export const DATE_FORMATS = ['%Y-%m-%d', '%d/%m/%Y', '%d-%m-%Y', '%m/%d/%Y'] as const;

export interface DateOptions {
  /** Tried in this order; the first that gives a date that exists wins. Default: DATE_FORMATS. */
  readonly formats?: readonly string[];
  /** Told `ambiguous_date` for a value of which another of the formats makes another date. */
  readonly note?: Note;
}

/** What Python's strptime takes for each directive, so that the document's dates are read as it reads them. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  y: '(\\d{2})',
  m: '(1[0-2]|0[1-9]|[1-9])',
  d: '(3[01]|[12]\\d|0[1-9]|[1-9]| [1-9])',
  H: '(2[0-3]|[01]\\d|\\d)',
  M: '([0-5]\\d|\\d)',
  S: '([0-5]\\d|\\d)',
};

/**
 * A date as `YYYY-MM-DD`, or with a time of day where the format has one. Formats are written with strptime's
 * %Y %y %m %d %H %M %S %%; a value must be one from its first to its last character, and a date that the
 * calendar does not have (31/02/2024) is none. Throws FieldError `bad_date`; the usage error `bad_transform`
 * for a format that cannot be used.
 */
export function dateParse(options: DateOptions = {}): TextField {
  const { formats = DATE_FORMATS, note } = options;
  const readers = formats.map(reader);
  // Only formats that differ in nothing but the order of their numbers can take the same text.
  const rivals = formats.map((format, i) =>
    readers.filter((_, j) => j > i && skeleton(formats[j] as string) === skeleton(format)),
  );
  const expected = `a date such as ${formats.join(', ')}`;
  return (value) => {
    for (let i = 0; i < readers.length; i++) {
      const read = readers[i] as Reader;
      const made = read(value);
      if (made === undefined) continue;
      if (note !== undefined) {
        for (const rival of rivals[i] as Reader[]) {
          const other = rival(value);
          if (other !== undefined && other !== made) {
            note('ambiguous_date', value);
            break;
          }
        }
      }
      return made;
    }
    throw new FieldError('bad_date', `Cannot parse date: ${value}`, expected);
  };
}

type Reader = (value: string) => string | undefined;

const skeleton = (format: string) => format.replace(/%[Yymd]/g, '%').replace(/%[HMS]/g, ':');

/** Reads one format; undefined for text that is not of it, or no date of the calendar. */
function reader(format: string): Reader {
  const parts: string[] = [];
  const wrong = (why: string) => stageErrors.bad_transform.dateFormat({ format, why });
  const pattern = format.replace(/%(.?)|[\\^$.*+?()[\]{}|]/gs, (found, directive?: string) => {
    if (!found.startsWith('%')) return `\\${found}`;
    if (directive === '%') return '%';
    const digits = DIRECTIVES[directive ?? ''];
    if (digits === undefined) throw wrong(`there is no ${found}`);
    if (parts.includes(directive as string)) throw wrong(`${found} stands twice`);
    parts.push(directive as string);
    return digits;
  });
  const at = (directive: string) => parts.indexOf(directive) + 1;
  if (at('Y') > 0 && at('y') > 0) throw wrong('it has the year twice');
  const year = at('Y') || at('y');
  const [month, day, hour, minute, second] = [at('m'), at('d'), at('H'), at('M'), at('S')];
  if (year === 0 || month === 0 || day === 0) throw wrong('it lacks the year, the month or the day');
  if ((minute > 0 && hour === 0) || (second > 0 && minute === 0))
    throw wrong('it lacks the hour or the minute');
  const short = at('y') > 0;
  const exact = new RegExp(`^${pattern}$`);
  return (value) => {
    const found = exact.exec(value);
    if (found === null) return undefined;
    const number = (group: number) => (group === 0 ? 0 : Number(found[group]));
    const y = short ? century(number(year)) : number(year);
    const m = number(month);
    const d = number(day);
    if (y === 0 || d > daysIn(y, m)) return undefined;
    const date = `${String(y).padStart(4, '0')}-${two(m)}-${two(d)}`;
    if (hour === 0) return date;
    return `${date} ${two(number(hour))}:${two(number(minute))}:${two(number(second))}`;
  };
}

/** As POSIX has it: 69 to 99 are of the 20th century. */
const century = (year: number) => (year < 69 ? 2000 + year : 1900 + year);

const two = (n: number) => (n < 10 ? `0${n}` : String(n));

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysIn(year: number, month: number): number {
  if (month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) return 29;
  return DAYS[month - 1] as number;
}
