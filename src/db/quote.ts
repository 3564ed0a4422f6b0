// Not 'pg' itself: everything imports this module, and only a command that connects needs all of that.
import utils from 'pg/lib/utils.js';

/** PostgreSQL cuts identifiers at 63 bytes without an error (NAMEDATALEN - 1). */
export const MAX_IDENTIFIER_BYTES = 63;

/** `name` as a quoted SQL identifier. Throws on a NUL, which no identifier can hold. */
export function ident(name: string): string {
  if (name.includes('\0')) throw new Error(`identifier holds a NUL byte: ${JSON.stringify(name)}`);
  return utils.escapeIdentifier(name);
}

/** `schema.name`, each quoted. */
export function qualified(schema: string, name: string): string {
  return `${ident(schema)}.${ident(name)}`;
}

/** A list of quoted identifiers, separated by commas. */
export function idents(names: readonly string[]): string {
  return names.map(ident).join(', ');
}

/** `value` as a quoted SQL string literal, safe under either setting of standard_conforming_strings. */
export function literal(value: string): string {
  if (value.includes('\0')) throw new Error('a SQL literal cannot hold a NUL byte');
  return utils.escapeLiteral(value);
}

/** A number, boolean, null or text as a SQL literal. */
export function value(of: string | number | bigint | boolean | null): string {
  if (of === null) return 'NULL';
  if (typeof of === 'boolean') return of ? 'true' : 'false';
  if (typeof of === 'string') return literal(of);
  if (typeof of === 'number' && !Number.isFinite(of)) throw new Error(`no SQL literal for ${of}`);
  return String(of);
}
