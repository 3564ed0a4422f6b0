import { isExactNumber } from './exact-number.js';

/**
 * What JSON.stringify makes of `value`, but for numbers that it cannot write or would write otherwise: an ExactNumber
 * is written as it was read, and a bigint in all its digits. undefined where JSON.stringify gives undefined. Throws
 * what it throws for a circle (or RangeError).
 */
export function jsonText(value: unknown): string | undefined {
  return hasExact(value) ? write(value, '') : JSON.stringify(value);
}

// What cannot stand as it is between the quotes of a JSON string (a lone surrogate is written as an escape).
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
const UNUSUAL = /["\\\0-\x1f\ud800-\udfff]/;

/** What JSON.stringify makes of a text, which most need no escapes for: in less time. */
export function jsonString(text: string): string {
  return UNUSUAL.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Whether a value that is written as JSON has numbers in it that JSON.stringify does not write. */
export function hasExact(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null) return false;
  visited = 0;
  const found = within(value);
  seen.clear();
  return found;
}

/** From so many objects on it is remembered which were looked at: a value may be a circle. */
const MANY = 1000;
let visited = 0;
const seen = new Set<object>();

function within(value: object): boolean {
  if (ArrayBuffer.isView(value)) return false;
  if (++visited > MANY) {
    if (seen.has(value)) return false;
    seen.add(value);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i];
      if (typeof item === 'bigint' || (typeof item === 'object' && item !== null && within(item)))
        return true;
    }
    return false;
  }
  if (isExactNumber(value)) return true;
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'bigint' || (typeof item === 'object' && item !== null && within(item))) return true;
  }
  return false;
}

/** As JSON.stringify does it (ECMAScript, SerializeJSONProperty), without a replacer and without white space. */
function write(value: unknown, key: string): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isExactNumber(value)) return value.literal;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') {
    const made: unknown = toJSON.call(value, key);
    return made === value ? composite(value) : write(made, key);
  }
  return composite(value);
}

function composite(value: object): string | undefined {
  if (value instanceof Number || value instanceof String || value instanceof Boolean)
    return JSON.stringify(value);
  if (Array.isArray(value)) {
    let text = '[';
    for (let i = 0; i < value.length; i++)
      text += (i === 0 ? '' : ',') + (write(value[i], String(i)) ?? 'null');
    return `${text}]`;
  }
  let text = '{';
  for (const key of Object.keys(value)) {
    const item = write((value as Record<string, unknown>)[key], key);
    if (item !== undefined) text += `${text.length === 1 ? '' : ','}${JSON.stringify(key)}:${item}`;
  }
  return `${text}}`;
}
