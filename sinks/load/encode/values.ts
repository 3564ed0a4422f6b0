import { doubleOf } from '../../../src/core/json/decimal.js';
import { type ExactNumber, isExactNumber } from '../../../src/core/json/exact-number.js';
import { jsonText as exactJson } from '../../../src/core/json/write.js';
import type { ColumnFacts } from '../../../src/db/catalog/columns.js';

/** A value that has no text in its column's type; the code is the reject's reason. */
export class Unfit {
  constructor(readonly reason: string) {}
}

const NOT_TEXT = new Unfit('wrong_type');
const BAD_DATE = new Unfit('invalid_date');
const BAD_JSON = new Unfit('not_json');

/** Makes text of a value that is neither a string nor null nor undefined. */
export type ToText = (value: unknown) => string | Unfit;

/**
 * How values of other types than text become text for `column`: numbers, bigints and booleans as
 * PostgreSQL writes them, an ExactNumber as it was read, a Date in UTC, bytes as \x…, arrays as an array literal,
 * and for json and jsonb what `jsonText` makes of it. A string is taken as it is, for json too: there it is JSON text.
 */
export function toTextFor(column: Pick<ColumnFacts, 'base' | 'kind' | 'element'>): ToText {
  if (column.base === 'json' || column.base === 'jsonb') return jsonText;
  if (column.kind === 'array') {
    const element = toTextFor({ base: column.element ?? 'text', kind: 'scalar' });
    return (value) => (Array.isArray(value) ? arrayLiteral(value, element) : NOT_TEXT);
  }
  return (value) => scalarText(value, column.base);
}

/** Types that read no point and no exponent, though 1.0 and 1e3 of JSON are whole numbers as good as any. */
const WHOLE: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'oid', 'bool']);

function exactText(value: ExactNumber, base: string): string {
  if (!WHOLE.has(base)) return value.literal;
  const number = doubleOf(value.literal);
  return number !== undefined && Number.isSafeInteger(number) ? String(number) : value.literal;
}

function scalarText(value: unknown, base: string): string | Unfit {
  switch (typeof value) {
    case 'number':
      // String(-0) is 0.
      return value === 0 && base.startsWith('float') && Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return base === 'bool' ? (value ? 't' : 'f') : String(value);
    case 'object':
      if (isExactNumber(value)) return exactText(value, base);
      if (value instanceof Date) return dateText(value, base);
      if (value instanceof Uint8Array && base === 'bytea') {
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
      }
      return NOT_TEXT;
    default:
      return NOT_TEXT;
  }
}

function jsonText(value: unknown): string | Unfit {
  // JSON.stringify would make null of these without a word.
  if (typeof value === 'number' && !Number.isFinite(value)) return BAD_JSON;
  if (value instanceof Uint8Array) return BAD_JSON;
  try {
    return exactJson(value) ?? BAD_JSON;
  } catch {
    // A circle.
    return BAD_JSON;
  }
}

function dateText(value: Date, base: string): string | Unfit {
  if (Number.isNaN(value.getTime())) return BAD_DATE;
  const year = value.getUTCFullYear();
  // ISO 8601 writes -000001-01-01 for what PostgreSQL calls 0002-01-01 BC.
  const shownYear = String(year > 0 ? year : 1 - year).padStart(4, '0');
  const [, monthAndDay, time] = /-(\d\d-\d\d)T([\d:.]{1,12})Z$/.exec(value.toISOString()) as unknown as [
    string,
    string,
    string,
  ];
  const era = year > 0 ? '' : ' BC';
  if (base === 'date') return `${shownYear}-${monthAndDay}${era}`;
  if (base === 'timestamp') return `${shownYear}-${monthAndDay} ${time}${era}`;
  if (base === 'time') return time;
  if (base === 'timetz') return `${time}+00`;
  return `${shownYear}-${monthAndDay} ${time}+00${era}`;
}

function arrayLiteral(values: readonly unknown[], element: ToText): string | Unfit {
  const parts: string[] = [];
  for (const value of values) {
    if (value === null || value === undefined) {
      parts.push('NULL');
    } else if (Array.isArray(value) && element !== jsonText) {
      const inner = arrayLiteral(value, element);
      if (inner instanceof Unfit) return inner;
      parts.push(inner);
    } else {
      const text = typeof value === 'string' ? value : element(value);
      if (text instanceof Unfit) return text;
      parts.push(typeof value === 'string' || !/^[\w.+-]+$/.test(text) ? quoteElement(text) : text);
    }
  }
  return `{${parts.join(',')}}`;
}

function quoteElement(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
