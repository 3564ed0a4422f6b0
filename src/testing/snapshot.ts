import type pg from 'pg';
import { parseJson } from '../core/json/parse.js';
import type { Row } from '../core/row.js';
import { literal } from '../db/quote.js';
import { named } from './tables.js';

/** The rows of tables, by table. */
export type Snapshot = Readonly<Record<string, readonly Row[]>>;

/** Types whose values are numbers (int2, int4, oid, float4, float8), booleans and JSON; all others stay text. */
const NUMBERS: ReadonlySet<number> = new Set([21, 23, 26, 700, 701]);
const JSONS: ReadonlySet<number> = new Set([114, 3802]);

const TYPES = {
  getTypeParser: (oid: number) => (text: string) => {
    if (NUMBERS.has(oid)) return Number(text);
    if (oid === 16) return text === 't';
    return JSONS.has(oid) ? parseJson(text) : text;
  },
} as unknown as pg.CustomTypesConfig;

/**
 * The rows that `sql` gives, values as in a snapshot.
 * @internal
 */
export async function rowsOf(
  client: pg.Client,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  return (await client.query({ text: sql, values: [...parameters], types: TYPES })).rows;
}

/**
 * All rows of these tables, in the order of the primary key, or, where there is none, of the whole row's text. Small
 * numbers are numbers, booleans booleans, JSON is parsed; everything else (bigint, numeric, dates in UTC, arrays) is the
 * text that the server writes. A table that is not there is left out.
 * @internal
 */
export async function snapshot(client: pg.Client, tables: readonly string[]): Promise<Snapshot> {
  const found: Record<string, readonly Row[]> = {};
  for (const table of tables) {
    const of = literal(named(table));
    const [key] = await rowsOf(
      client,
      `SELECT to_regclass(${of}) IS NOT NULL AS there, (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.n)
         FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, n)
         JOIN pg_attribute a ON a.attrelid = to_regclass(${of}) AND a.attnum = k.attnum
         WHERE i.indrelid = to_regclass(${of}) AND i.indisprimary) AS columns`,
    );
    if (key?.there !== true) continue;
    const order = typeof key.columns === 'string' ? key.columns : 't::text COLLATE "C"';
    found[table] = await rowsOf(client, `SELECT * FROM ${named(table)} AS t ORDER BY ${order}`);
  }
  return found;
}
