import { guardFor } from '../../sinks/load/column-checks/index.js';
import { isExactNumber } from '../core/json/exact-number.js';
import { JsonScan } from '../core/json/scan.js';
import { jsonText } from '../core/json/write.js';
import type { PgDatabase } from '../db/connect.js';
import { MAX_DEPTH } from '../sources/text/depth.js';

/** Whether a value was read as text (CSV) or as a value of JSON, whose numbers, booleans and objects say what they are. */
export type ReadAs = 'text' | 'json';

/** How the database shows points in time to the role that loads; a type's output depends on it. */
export interface Display {
  /** Dates as 2026-02-28 (DateStyle). */
  readonly iso: boolean;
  /** timestamptz with the offset +00 (TimeZone). */
  readonly utc: boolean;
}

/** The types that may be proposed for a column; `typname`s. */
export type OwnType =
  | 'bool'
  | 'int4'
  | 'int8'
  | 'numeric'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'uuid'
  | 'json'
  | 'jsonb'
  | 'text';

/** Which values a type gives back as they were read. */
export interface OwnText {
  /**
   * Whether a column of the type, filled with `value`, gives back the very text that `value` is; of a number, a
   * boolean or an object of JSON, the same value. Never true of what the type refuses.
   */
  keeps(value: unknown, as: ReadAs): boolean;
  /** The text that it gives back, for a message. */
  readonly form: string;
}

// In the forms that the output functions write, and in no other that the input functions read too: 007, +1, 1e3,
// -0, .5, T, 2026-02-28T12:00, {"a":1} in jsonb come back as another text. What looks like a number may be a
// telephone number, a zip code or the code of a product.
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
// numeric_out keeps the digits behind the point, zeros among them; there is no -0, and a digit before the point.
const DECIMAL = /^(?!-0(?:\.0+)?$)-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
// Without the zeros that end a fraction, and neither 24:00 nor second 60, which are carried over.
const CLOCK = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{0,5}[1-9])?';
const TIMESTAMP = new RegExp(`^\\d{4}-\\d\\d-\\d\\d ${CLOCK}$`);
const TIMESTAMPTZ = new RegExp(`^\\d{4}-\\d\\d-\\d\\d ${CLOCK}\\+00$`);
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Digits before and behind the point that numeric holds (NUMERIC_WEIGHT_MAX, NUMERIC_DSCALE_MAX). */
const MOST_WHOLE = 131_072;
const MOST_FRACTION = 16_383;

/** What jsonb cannot store: U+0000, and half of a surrogate pair, as `jsonText` writes them. */
const NOT_IN_JSONB = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/;

/** What the column's own guard says of text, so that nothing is kept that would be a reject. */
function accepted(base: string): (text: string) => boolean {
  const guard = guardFor({
    name: '',
    position: 1,
    type: base,
    base,
    baseOid: 0,
    kind: 'scalar',
    notNull: false,
    hasDefault: false,
  });
  return (text) => guard?.accepts(text) !== false;
}

function shaped(base: string, shape: RegExp, form: string): OwnText {
  const accepts = accepted(base);
  return { form, keeps: (value) => typeof value === 'string' && shape.test(value) && accepts(value) };
}

function integer(base: 'int4' | 'int8'): OwnText {
  const accepts = accepted(base);
  // With so few digits it is in range, whatever they are.
  const short = base === 'int4' ? 9 : 18;
  return {
    form: 'a whole number without leading zeros or a plus',
    keeps(value) {
      const text = isPlain(value) ? String(value) : value;
      return typeof text === 'string' && INTEGER.test(text) && (text.length <= short || accepts(text));
    },
  };
}

/** A number of JSON that is written as JavaScript writes it. */
const isPlain = (value: unknown) => typeof value === 'number' || typeof value === 'bigint';

/** Whether numeric has room for the digits of `text`, a number of JSON. */
function hasRoom(text: string): boolean {
  const [, whole = '', fraction = '', exponent = '0'] =
    /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const power = Number(exponent);
  return whole.length + power <= MOST_WHOLE && fraction.length - power <= MOST_FRACTION;
}

const isJson = accepted('json');
const scan = new JsonScan();

function isTooDeep(json: string): boolean {
  const bytes = Buffer.from(json);
  scan.over(bytes, 0, bytes.length);
  return scan.depth > MAX_DEPTH;
}

/** What every type keeps. */
export const OWN_TEXT: Readonly<Record<OwnType, OwnText>> = {
  bool: {
    form: 't or f',
    keeps: (value) => typeof value === 'boolean' || value === 't' || value === 'f',
  },
  int4: integer('int4'),
  int8: integer('int8'),
  numeric: {
    form: 'a number without exponent, leading zeros or a plus',
    keeps: (value) =>
      typeof value === 'string'
        ? DECIMAL.test(value) && (value.length <= MOST_FRACTION || hasRoom(value))
        : isPlain(value) || (isExactNumber(value) && hasRoom(value.literal)),
  },
  date: shaped('date', DATE, 'a date as 2026-02-28'),
  timestamp: shaped('timestamp', TIMESTAMP, 'a timestamp as 2026-02-28 12:00:01.5'),
  timestamptz: shaped('timestamptz', TIMESTAMPTZ, 'a timestamp as 2026-02-28 12:00:01.5+00'),
  uuid: shaped('uuid', UUID, 'a uuid in lower case with hyphens'),
  // json keeps the text that it is given; jsonb sorts keys, and drops spaces and zeros.
  json: {
    form: 'JSON',
    keeps: (value, as) =>
      as === 'json' ||
      (typeof value === 'string' && /^\s*[[{]/.test(value) && isJson(value) && !isTooDeep(value)),
  },
  jsonb: {
    form: 'JSON',
    keeps: (value, as) => as === 'json' && !NOT_IN_JSONB.test(jsonText(value) ?? ''),
  },
  text: { form: 'text', keeps: (value) => typeof value !== 'object' || isExactNumber(value) },
};

/** How `database` shows points in time to this role where nobody sets it otherwise. */
export async function displayOf(database: Pick<PgDatabase, 'query'>): Promise<Display> {
  const [shown] = await database.query<{ style: string; zone: string }>(
    `SELECT pg_catalog.current_setting('DateStyle') AS style, pg_catalog.current_setting('TimeZone') AS zone`,
  );
  return {
    iso: shown?.style.startsWith('ISO') === true,
    utc: /^(?:Etc\/)?(?:UTC|UCT|GMT|Universal|Zulu|Greenwich)$/i.test(shown?.zone ?? ''),
  };
}
