import type { ClientBase } from 'pg';
import { rowErrors, UNFIT } from '../../../src/core/errors/catalogue/rows.js';
import { noun } from '../../../src/core/plural.js';
import { findsByKey, inserts } from '../../../src/core/publish-mode.js';
import type { RowColumn } from '../../../src/db/catalog/row-tables.js';
import { ident } from '../../../src/db/quote.js';
import { firing, keyJson, sameKey, unkeyedRows } from './sql.js';
import { type RowNames, type RowTableFacts, rowObjects } from './target.js';

/** One question to staging before the window; it passes where `offenders` yields no row. */
interface RowPrecheck {
  /** What is wrong with the rows found: `have a key that …`. */
  readonly saying: (count: number) => string;
  /** A SELECT with one text column `line`, a row per offender. */
  readonly offenders: string;
  /** Live has the values of these rows already, and an append cannot add them. */
  readonly taken?: true;
}

const EXAMPLES = 5;

/**
 * Asks everything that would make the window fail, or do what nobody meant, while nothing is locked.
 * Gathers planner statistics of staging first, which the window's statements need as well. Throws refused()
 * with every finding, its number of rows and example keys. Live may change afterwards: what matters is asked
 * again under the lock, or is the business of a constraint. `asked`: rows that break a constraint have just been taken
 * out, so that only what is no row's own fault is asked.
 */
export async function precheckRows(
  client: ClientBase,
  facts: RowTableFacts,
  names: RowNames,
  asked = false,
): Promise<void> {
  const { staging } = rowObjects(facts.target, names);
  const name = `${facts.target.schema}.${facts.target.table}`;
  await client.query(`ANALYZE ${staging}`);
  const details: string[] = [];
  let taken = false;
  for (const { saying, offenders, ...asks } of rowPrechecks(facts, names, asked)) {
    const { rows } = await client.query(
      `SELECT count(*)::float8 AS count, json_agg(o.line) FILTER (WHERE o.n <= ${EXAMPLES}) AS examples FROM (SELECT f.line, row_number() OVER () AS n FROM (${offenders}) f) o`,
    );
    const { count, examples } = rows[0] as { count: number; examples: string[] | null };
    if (count === 0) continue;
    taken ||= asks.taken === true;
    details.push(`${count} ${saying(count)}: ${(examples ?? []).join(', ')}${count > EXAMPLES ? ', …' : ''}`);
  }
  if (details.length === 0) return;
  throw rowErrors.rows_not_publishable({ table: name, mode: facts.target.mode, taken }, { details });
}

/** The questions of precheckRows for one target. */
function rowPrechecks(facts: RowTableFacts, names: RowNames, asked = false): RowPrecheck[] {
  const { target, key } = facts;
  const { live, staging } = rowObjects(target, names);
  const upserts = findsByKey(target.mode);
  const checks: RowPrecheck[] = asked ? [] : breaches(facts, names);
  if (!upserts) return checks;

  const unknown = `FROM ${staging} s WHERE NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey(key, 'l', 's')})`;
  if (!inserts(target.mode) && target.missing !== 'skip') {
    checks.push({
      saying: (n) => `${noun(n, 'row has', 'rows have')} a key that live does not have`,
      offenders: `SELECT ${keyLine(key)} ${unknown}`,
    });
  }
  if (!facts.keyEnforced) {
    checks.push({
      saying: (n) => `${noun(n, 'row matches', 'rows match')} more than one live row by key`,
      offenders: `SELECT min(${keyJson(key, 's')}::text) AS line FROM ${staging} s JOIN ${live} l ON ${sameKey(key, 'l', 's')} GROUP BY s.ctid HAVING count(*) > 1`,
    });
  }
  const unkeyed = unkeyedRows(facts);
  if (unkeyed !== undefined)
    checks.push({
      saying: (n) => `${noun(n, 'key of live is', 'keys of live are')} ${UNFIT}`,
      offenders: unkeyed,
    });
  return checks;
}

const keyLine = (columns: readonly RowColumn[]) => `${keyJson(columns, 's')}::text AS line`;

/** What of the rows themselves breaks a constraint, or the key. */
function breaches(facts: RowTableFacts, names: RowNames): RowPrecheck[] {
  const { target, live: table, key, loaded } = facts;
  const { live, staging } = rowObjects(target, names);
  const upserts = findsByKey(target.mode);
  // A BEFORE trigger may put a value where none was loaded.
  const fills = target.noTriggers !== true && firing(facts).some((trigger) => trigger.before);
  const label = key.length > 0 && key.every((column) => loaded.includes(column)) ? key : loaded.slice(0, 3);
  const line = keyLine;
  const checks: RowPrecheck[] = [];

  for (const column of loaded) {
    const inKey = upserts && key.includes(column);
    if (!inKey && (!column.notNull || fills)) continue;
    checks.push({
      saying: (n) =>
        `${noun(n, 'row has', 'rows have')} NULL in ${column.name}, ${inKey ? 'which belongs to the key' : 'which is NOT NULL in live'}`,
      offenders: `SELECT ${line(label)} FROM ${staging} s WHERE s.${ident(column.name)} IS NULL`,
    });
  }

  const byName = new Map(loaded.map((column) => [column.name, column]));
  const uniques = table.keys
    .map((one) => one.columns.map((column) => byName.get(column)))
    .filter((columns): columns is RowColumn[] => columns.every((column) => column?.equality != null));
  const same = (columns: readonly RowColumn[]) =>
    columns.every((one) => key.includes(one)) && columns.length === key.length;
  if (upserts && !uniques.some(same)) uniques.unshift([...key]);
  for (const columns of uniques) {
    const list = columns.map((column) => column.name).join(', ');
    checks.push({
      saying: (n) =>
        `${noun(n, 'value of', 'values of')} ${list} ${noun(n, 'occurs', 'occur')} more than once among the loaded rows`,
      offenders: duplicates(columns, staging),
    });
    if (upserts) continue;
    checks.push({
      saying: (n) => `${noun(n, 'row has', 'rows have')} a value of ${list} that live has already`,
      taken: true,
      offenders: `SELECT ${line(columns)} FROM ${staging} s WHERE EXISTS (SELECT FROM ${live} l WHERE ${sameKey(columns, 'l', 's')})`,
    });
  }
  if (!upserts) return checks;

  const required = table.columns.filter(
    (column) => column.notNull && !column.filled && !column.generated && !loaded.includes(column),
  );
  if (inserts(target.mode) && required.length > 0 && !fills) {
    checks.push({
      saying: (n) =>
        `${noun(n, 'row is new to live but lacks', 'rows are new to live but lack')} ${required.map((column) => column.name).join(', ')} (NOT NULL, not loaded)`,
      offenders: `SELECT ${line(key)} FROM ${staging} s WHERE NOT EXISTS (SELECT FROM ${live} l WHERE ${sameKey(key, 'l', 's')})`,
    });
  }
  return checks;
}

/** NULLs are left out: a unique index takes them as distinct, and NULLs in a key are asked for separately. */
function duplicates(columns: readonly RowColumn[], staging: string): string {
  const list = columns.map((column) => `s.${ident(column.name)}`).join(', ');
  const known = columns.map((column) => `s.${ident(column.name)} IS NOT NULL`).join(' AND ');
  return `SELECT ${keyJson(columns, 's')}::text AS line FROM ${staging} s WHERE ${known} GROUP BY ${list} HAVING count(*) > 1`;
}
