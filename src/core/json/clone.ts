import { ExactNumber, isExactNumber } from './exact-number.js';

/*
 * Structured cloning makes a plain object of an ExactNumber. It keeps String objects, which rows do not hold
 * otherwise: a letter before the text tells what one stands for.
 */
const NUMBER = 'n';
const TEXT = 's';

/** A copy of `value` that structured cloning keeps: `fromClone` of what it gives back is the value again. */
export function toClone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isExactNumber(value)) return new String(NUMBER + value.literal);
  if (value instanceof String) return new String(TEXT + value);
  if (Array.isArray(value)) return value.map(toClone);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toClone(item)]));
}

/** What `toClone` was given, out of what structured cloning made of its copy; changed in place. */
export function fromClone(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof String) {
    const text = String(value);
    return text.startsWith(NUMBER) ? new ExactNumber(text.slice(1)) : new String(text.slice(1));
  }
  if (!Array.isArray(value) && !isPlain(value)) return value;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    const item = holder[key];
    if (typeof item !== 'object' || item === null) continue;
    // Assigned to, `__proto__` would be no key.
    Object.defineProperty(holder, key, { value: fromClone(item) });
  }
  return holder;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
