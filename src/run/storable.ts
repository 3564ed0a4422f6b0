import { isExactNumber } from '../core/json/exact-number.js';

/**
 * `text` as the server's text can hold it: it has neither NUL nor lone surrogates, and a row may have been rejected for
 * just those.
 */
export const storableText = (text: string): string => text.replaceAll('\0', '\u2400').toWellFormed();

/** The same for all text in a value that becomes JSON, keys included. Values that write themselves (a Date) stay. */
export function storableValue(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  if (Array.isArray(value)) return value.map(storableValue);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [storableText(name), storableValue(each)]),
  );
}
