import type { Client } from 'pg';
import { withoutEnd } from '../../core/ends.js';
import { failed, usage } from '../../core/errors/author.js';
import { nearest } from '../../core/errors/nearest.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { again } from '../../core/next.js';

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
  // The line break ends a comment at the end of the query.
  const text = `${BEFORE}${bare(sql)}\n) AS q LIMIT 0`;
  const result = await client.query({ text, rowMode: 'array' }).catch((error) => {
    throw queryError(error, name, sql, BEFORE.length);
  });
  const names = result.fields.map((field) => field.name);
  if (names.length === 0) throw usage('no_columns', `query ${name} has no columns`, { input: name });
  const twice = names.find((column, i) => names.indexOf(column) !== i);
  if (twice !== undefined) {
    throw usage('duplicate_column', `query ${name} has two columns named ${JSON.stringify(twice)}`, {
      input: name,
      column: twice,
      next: 'give one of them another name with AS',
    });
  }
  for (const column of declared) {
    if (names.includes(column)) continue;
    const close = nearest(column, names);
    throw usage('unknown_column', `query ${name} has no column ${JSON.stringify(column)}`, {
      input: name,
      column,
      details: [`it has: ${names.join(', ')}`],
      next:
        close === undefined
          ? 'add it to the query, or declare other columns'
          : `did you mean ${JSON.stringify(close)}?`,
    });
  }
  return names;
}

/** An error of the server's about `sql`, which stood `before` characters into the statement sent. */
export function queryError(error: unknown, name: string, sql: string, before: number): SluiceError {
  const { code, severity, position, message, detail, hint } = error as {
    code?: string;
    severity?: string;
    position?: string;
    message: string;
    detail?: string;
    hint?: string;
  };
  const details = [detail, hint].filter((line) => line !== undefined);
  const facts = { input: name, cause: error, ...(details.length > 0 ? { details } : {}) };
  if (severity === undefined || code === undefined || code.startsWith('08') || code.startsWith('57P')) {
    return failed('connection_lost', `the connection that reads ${name} was lost: ${message}`, {
      ...facts,
      ...(severity === undefined || code === undefined ? {} : { sqlstate: code }),
      next: again({}, { lead: 'see the server log for why, then' }),
    });
  }
  const where = placeOf(sql, position === undefined ? undefined : Number(position) - before);
  const wrong = `query ${name}: ${message}${where === undefined ? '' : ` at line ${where.line}, character ${where.character}`}`;
  const known = { ...facts, sqlstate: code, ...(where === undefined ? {} : { line: where.line }) };
  // Class 42: the statement itself is wrong.
  return code.startsWith('42')
    ? usage('query_refused', wrong, { ...known, next: NEXT[code] ?? 'correct the query' })
    : failed('query_failed', wrong, { ...known, next: again({}, { lead: 'fix what it says, then' }) });
}

/** What to do about a query that the server does not take, by SQLSTATE. */
const NEXT: Readonly<Record<string, string>> = {
  '42P01': 'check that --database-url names the right database, and that the table is on its search path',
  '42703':
    'check that the database has the schema that the query was written for: the table lacks that column',
  '42501': 'GRANT SELECT on what it reads to this role',
};

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
