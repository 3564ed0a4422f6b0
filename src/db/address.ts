/** Where a database is, and how messages may call it (never with its password). */
export interface Address {
  readonly url?: string;
  /** `host:port/database as user`, for messages. */
  readonly described: string;
  /** Which option or variable named it. */
  readonly from: string;
}

/** `url` as messages may show it: user, host, port and database, and no password. */
export function describeUrl(url: string): string {
  try {
    const parsed = new URL(url);
    const user = parsed.username === '' ? '' : ` as ${decodeURIComponent(parsed.username)}`;
    return `${parsed.hostname || 'localhost'}:${parsed.port || '5432'}${decodeURIComponent(parsed.pathname)}${user}`;
  } catch {
    return 'the given database URL';
  }
}

/** `url`, but of the database `name` on the same server. */
export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}
