import { isExactNumber } from '../../core/json/exact-number.js';
import { parseJson } from '../../core/json/parse.js';
import { jsonText } from '../../core/json/write.js';

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

/** The key of a stored record under which the values stand that the server's text cannot hold, as JSON within a text. */
export const AS_IT_WAS = 'sluice_as_it_was';

type Values = Readonly<Record<string, unknown>>;

/** `record` as the server can hold it, with what restores it: else a placeholder would come back as the value. */
export function storableRecord(record: Values): Values {
  // Whatever cannot be stored is escaped in JSON, and little else is.
  if (jsonText(record)?.includes('\\u') !== true) return record;
  const was: Record<string, unknown> = {};
  const made = Object.entries(record).map(([name, value]) => {
    const key = storableText(name);
    const stored = storableValue(value);
    if (jsonText(stored) !== jsonText(value)) was[key] = value;
    return [key, stored] as const;
  });
  const kept = Object.keys(was).length === 0 ? {} : { [AS_IT_WAS]: jsonText(was) };
  return { ...Object.fromEntries(made), ...kept };
}

/** A record as it was before `storableRecord`, apart from the names of its columns. */
export function restoredRecord(stored: Values): Values {
  const { [AS_IT_WAS]: was, ...record } = stored;
  if (typeof was !== 'string') return stored;
  return { ...record, ...(parseJson(was) as Values) };
}
