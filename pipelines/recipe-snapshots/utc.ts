const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(\.\d{1,6})?\d*)?)?\s*(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/i;

/**
 * A timestamp of ISO 8601, as `YYYY-MM-DD HH:MM:SS[.ffffff]+00`, which timestamp (it drops the offset) and
 * timestamptz columns read alike. Without an offset it is UTC already, as the application keeps its times.
 * Undefined where it is none, or no day of the calendar.
 */
export function utcTimestamp(value: unknown): string | undefined {
  const match = typeof value === 'string' ? TIMESTAMP.exec(value) : null;
  if (match === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = ''] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const at = new Date(local);
  // Date takes 30 February for 1 March.
  if (Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== local.slice(0, 10)) return undefined;
  const minutes = Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0);
  if (minutes !== 0) at.setTime(at.getTime() - (match[9] === '-' ? -minutes : minutes) * 60_000);
  return written(at, fraction);
}

/** A moment in that form, to the millisecond. */
export const utcText = (at: Date): string => written(at, `.${at.toISOString().slice(20, 23)}`);

const written = (at: Date, fraction: string) =>
  `${at.toISOString().slice(0, 19).replace('T', ' ')}${fraction}+00`;
