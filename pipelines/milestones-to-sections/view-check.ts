import {
  again,
  type Check,
  type CheckContext,
  check,
  type Finding,
  ident,
  leftBehind,
  literal,
  noun,
  plural,
} from 'sluice';
import { OLD } from './source.js';
import { compatibility } from './views.js';

/**
 * The old application goes on under the old names: it is told where what it finds there is not what it had. Nothing is
 * said where the old names are views of an earlier batch already, or the old system is a file.
 */
export const likeTheOldTables: Check = check(
  'views-like-the-old-tables',
  'the views under the old names have the columns of the old tables, with their types',
  async (context) => {
    if (context.settings.views === 'off') return [];
    const next = again({ flags: { set: ['views=off'] } }, { lead: 'to go without the views' });
    const types = await otherTypes(context);
    const left = await notThere(context);
    const findings: Finding[] = [];
    if (types.length > 0)
      findings.push({
        severity: 'warning',
        message: `${plural(types.length, 'column')} ${noun(types.length, 'has', 'have')} another type in the views under the old names: the old application’s casts, operators and time zones must fit it`,
        details: types,
        next,
      });
    if (left.length > 0)
      findings.push({
        severity: 'warning',
        message: `the old application does not find in the views what is left behind: ${left.join(', ')}`,
        next,
      });
    return findings;
  },
);

async function otherTypes(context: CheckContext): Promise<string[]> {
  const found: string[] = [];
  for (const { name, select, replaces } of compatibility.views(context)) {
    if (replaces !== true) continue;
    const [, columns = []] = Object.entries(OLD).find(([table]) => table === name) ?? [];
    // Without a row: only what the server takes the columns for.
    const rows = await context.database.query<{ name: string; was: string; later: string }>(
      `SELECT x.name, x.was, x.later FROM (SELECT 1) one LEFT JOIN ${ident(name)} o ON false LEFT JOIN (${select}) v ON false
       CROSS JOIN LATERAL (VALUES ${columns.map((column) => `(${literal(`${name}.${column}`)}, pg_typeof(o.${ident(column)})::text, pg_typeof(v.${ident(column)})::text)`).join(', ')}) x (name, was, later)
       WHERE x.was <> x.later AND (x.was, x.later) <> ('character varying', 'text')`,
    );
    for (const { name: column, was, later } of rows)
      found.push(`${column}: ${was} → ${later}${was === 'timestamp with time zone' ? ', in UTC' : ''}`);
  }
  return found;
}

/** Columns that are left behind on purpose, as `input.column`. */
async function notThere(context: CheckContext): Promise<string[]> {
  const accepted = leftBehind(context.settings);
  if (accepted.length === 0) return [];
  const found: string[] = [];
  for (const { name } of compatibility.views(context))
    for (const column of await context.columnsBeside(name))
      if (accepted.includes(`${name}.${column}`)) found.push(`${name}.${column}`);
  return found;
}
