import type { Client } from 'pg';

/**
 * How the ledger's text is written where the database cannot hold every character: as `{U+20AC}`, and a `{U+` that
 * stands in the text itself as `{U+007B}U+`. Inside JSON this is as well-formed as the character was.
 */
export interface LedgerText {
  encode(text: string): string;
  /** A value out of a row, with all texts in it as they were. */
  decode<T>(value: T): T;
}

/** Every server encoding holds ASCII, and LATIN1 the first 256 characters. */
const NOT_ASCII = /[^\0-\x7f]|\{(?=U\+)/gu;
const NOT_LATIN1 = /[^\0-\xff]|\{(?=U\+)/gu;
const WRITTEN = /\{U\+([0-9A-F]{4,6})\}/g;

/** For a database of that encoding (`server_encoding`); undefined where it holds every character. */
export function ledgerText(encoding: string): LedgerText | undefined {
  // SQL_ASCII holds bytes, whatever they mean.
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII') return undefined;
  const foreign = encoding === 'LATIN1' ? NOT_LATIN1 : NOT_ASCII;
  return { encode: (text) => text.replace(foreign, written), decode };
}

const written = (character: string) =>
  `{U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}}`;

function decode<T>(value: T): T {
  if (typeof value === 'string')
    return value.replace(WRITTEN, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))) as T;
  if (Array.isArray(value)) return value.map(decode) as T;
  if (typeof value !== 'object' || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [decode(name), decode(each)])) as T;
}

/** Statements on the ledger, which is in the schema `sluice`. */
const ON_LEDGER = /\bsluice\.\w/;

const KNOWN = new WeakMap<Client, LedgerText>();

/** How the ledger's text is written on this session; undefined where as it is. */
export const ledgerTextOf = (client: Client): LedgerText | undefined => KNOWN.get(client);

/**
 * Has the session write and read the ledger's texts as `ledgerText` says, for a database of `encoding`. Statements on
 * other tables are as they were: what the database cannot hold, its tables cannot either.
 */
export function withLedgerText(client: Client, encoding: string): void {
  const text = ledgerText(encoding);
  if (text === undefined) return;
  KNOWN.set(client, text);
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const encoded = async (sql: string, parameters: readonly unknown[]) => {
    const put = (value: unknown): unknown =>
      typeof value === 'string' ? text.encode(value) : Array.isArray(value) ? value.map(put) : value;
    const plain = parameters.map(put);
    const result = (await query(text.encode(sql), plain)) as { readonly rows?: unknown[] };
    return Array.isArray(result) || result.rows === undefined
      ? result
      : { ...result, rows: text.decode(result.rows) };
  };
  client.query = ((...given: unknown[]) => {
    const [sql, parameters = []] = given;
    const ours = typeof sql === 'string' && ON_LEDGER.test(sql) && Array.isArray(parameters);
    return ours && given.length <= 2 ? encoded(sql, parameters) : query(...given);
  }) as typeof client.query;
}
