import { isExactNumber, numberOf } from './exact-number.js';
import { JsonScan } from './scan.js';

/**
 * In the place of numbers that JavaScript would write otherwise, JSON.parse is given whole numbers from here on, by
 * their place: the scan lets no number of this size stand.
 */
const FIRST = 2 ** 52;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

const own = new JsonScan();

/** `JSON.parse`, but numbers are what `numberOf` makes of them. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  const bytes = Buffer.from(text);
  own.over(bytes, 0, bytes.length);
  return own.numbers === 0 ? JSON.parse(text) : parseScanned(bytes, 0, bytes.length, own);
}

/** The same for bytes of UTF-8 that `scan` has been over. */
export function parseScanned(bytes: Buffer, from: number, to: number, scan: JsonScan): unknown {
  const { numbers, spans } = scan;
  const literals: string[] = [];
  let text = '';
  let at = from;
  for (let i = 0; i < numbers; i++) {
    const start = spans[i * 2] as number;
    const end = spans[i * 2 + 1] as number;
    const literal = bytes.toString('latin1', start, end);
    // What is no number stays, for JSON.parse to say so.
    if (!NUMBER.test(literal)) continue;
    text += bytes.toString('utf8', at, start) + String(FIRST + literals.length);
    literals.push(literal);
    at = end;
  }
  text += bytes.toString('utf8', at, to);
  return restored(JSON.parse(text), literals);
}

function restored(value: unknown, literals: readonly string[]): unknown {
  if (typeof value === 'number') return value >= FIRST ? numberOf(literals[value - FIRST] as string) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'number' ? item >= FIRST : typeof item === 'object' && item !== null)
        value[i] = restored(item, literals);
    }
    return value;
  }
  const object = value as Record<string, unknown>;
  for (const key in object) {
    // `__proto__` as JSON.parse made it is a key like any other; an assignment would not be.
    const item = object[key];
    if (typeof item === 'object') restored(item, literals);
    else if (typeof item === 'number' && item >= FIRST) {
      const number = numberOf(literals[item - FIRST] as string);
      if (key === '__proto__') Object.defineProperty(object, key, { value: number });
      else object[key] = number;
    }
  }
  return object;
}

/** How many keys the objects in a value have, as far as `parseJson` makes such. */
export function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && item !== null) keys += countKeys(item);
    return keys;
  }
  if (isExactNumber(value)) return 0;
  for (const key in value) {
    keys++;
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null) keys += countKeys(item);
  }
  return keys;
}
