import type { Client, FieldDef } from 'pg';
import { withoutEnd } from '../../core/ends.js';
import { columnErrors } from '../../core/errors/catalogue/columns.js';
import { connectionErrors } from '../../core/errors/catalogue/connection.js';
import { headerErrors } from '../../core/errors/catalogue/headers.js';
import { queryErrors } from '../../core/errors/catalogue/query.js';
import { nearest } from '../../core/errors/nearest.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { isConnectionLoss, type ServerError, sqlstateOf } from '../../db/server-error.js';

const BEFORE = 'SELECT * FROM (';

/** `sql` without the semicolons at its end, which could not stand in brackets. */
export function bare(sql: string): string {
  return withoutEnd(sql, /[;\s]/);
}

/**
 * The names of the columns that `sql` gives, asked of the server without running it. Throws
 * usage('query_refused') with line and column of the mistake, usage('duplicate_column'),
 * usage('unknown_column') where one of `declared` is not among them.
 */
export async function describeQuery(
  client: Client,
  name: string,
  sql: string,
  declared: readonly string[] = [],
): Promise<string[]> {
  const names = (await fieldsOf(client, name, sql)).map((field) => field.name);
  assertDeclared(name, names, declared);
  return names;
}

/** Throws usage('unknown_column') where one of `declared` is not among `names`, the columns of the query `name`. */
export function assertDeclared(name: string, names: readonly string[], declared: readonly string[]): void {
  for (const column of declared) {
    if (names.includes(column)) continue;
    throw columnErrors.unknown_column.inQuery({
      query: name,
      column,
      meant: nearest(column, names),
      columns: names,
    });
  }
}

/**
 * The columns that `sql` gives with their types, asked of the server without running it. Throws as describeQuery does,
 * but for `unknown_column`.
 */
export async function fieldsOf(client: Client, name: string, sql: string): Promise<readonly FieldDef[]> {
  // The line break ends a comment at the end of the query.
  const text = `${BEFORE}${bare(sql)}\n) AS q LIMIT 0`;
  const result = await client.query({ text, rowMode: 'array' }).catch((error) => {
    throw queryError(error, name, sql, BEFORE.length);
  });
  const names = result.fields.map((field) => field.name);
  if (names.length === 0) throw headerErrors.no_columns.ofQuery({ query: name });
  const twice = names.find((column, i) => names.indexOf(column) !== i);
  if (twice !== undefined) {
    throw headerErrors.duplicate_column.query({ query: name, column: twice });
  }
  return result.fields;
}

/** An error of the server's about `sql`, which stood `before` characters into the statement sent. */
export function queryError(error: unknown, name: string, sql: string, before: number): SluiceError {
  const sqlstate = sqlstateOf(error);
  const { position, message, detail, hint } = error as ServerError;
  const details = [detail, hint].filter((line) => line !== undefined);
  const known = { input: name, cause: error, details: details.length > 0 ? details : undefined };
  if (sqlstate === undefined || isConnectionLoss(error))
    return connectionErrors.connection_lost.reading({ query: name, why: message }, { ...known, sqlstate });
  const place = placeOf(sql, position === undefined ? undefined : Number(position) - before);
  const where = place === undefined ? '' : ` at line ${place.line}, character ${place.character}`;
  const refused = { query: name, why: message, where, sqlstate };
  // Class 42: the statement itself is wrong.
  return sqlstate.startsWith('42')
    ? queryErrors.query_refused.postgres(refused, { ...known, line: place?.line })
    : queryErrors.query_failed(refused, { ...known, line: place?.line });
}

/** Line and character (both 1-based) of `position` (1-based, in code points, as the server counts). */
function placeOf(sql: string, position?: number): { line: number; character: number } | undefined {
  const points = Array.from(sql);
  if (position === undefined || position < 1 || position > points.length + 1) return undefined;
  const before = points.slice(0, position - 1);
  const lineStart = before.lastIndexOf('\n') + 1;
  return {
    line: before.filter((point) => point === '\n').length + 1,
    character: before.length - lineStart + 1,
  };
}
