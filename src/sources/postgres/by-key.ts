import type { Client } from 'pg';
import { ident, literal, qualified } from '../../db/quote.js';
import type { Range } from '../ranges.js';
import { bare } from './describe.js';
import { hasNode, type PlanNode, planOfQuery } from './plan.js';

/** A column that a query's rows are told apart by, and how its values are written and compared. */
export interface Key {
  readonly column: string;
  /** Its type as a statement names it. */
  readonly type: string;
}

/** What is said of why rows cannot be read by ranges of a column. */
export interface NotByKey {
  readonly why: string;
}

/** A column of a table. */
interface Place {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
}

/** A key, and the table's column whose values it has. */
export interface KeyPlace {
  readonly key: Key;
  readonly place: Place;
}

/** Types of the server's own whose order it knows. */
const ORDERED =
  'bool bpchar bytea char cidr date float4 float8 inet int2 int4 int8 interval macaddr name numeric oid text time timestamp timestamptz timetz uuid varchar'.split(
    ' ',
  );

/** Blocks that a sample is taken from. */
const SAMPLE_BLOCKS = 500;

/** What gives other rows each time that a query is asked. */
const CHOOSING: ReadonlySet<string> = new Set(['Limit', 'Sample Scan']);

/** Parts of which the plan is asked, to estimate what all of them cost. */
const ASKED_PARTS = 64;

/** Views that are made of views. */
const MOST_VIEWS = 8;

/**
 * The column of a table that the column `name` of `sql` is, also through views. The session is in a transaction; `client`
 * may be asked on afterwards. Throws as the server does where it does not take the query.
 */
export async function keyOf(client: Client, sql: string, name: string): Promise<KeyPlace | NotByKey> {
  const fields = await fieldsOf(client, sql);
  const field = fields.find((each) => each.name === name);
  if (field === undefined) return { why: `it has no column ${name}` };
  const type = await typeOf(client, field.dataTypeID);
  if (type === undefined) return { why: `the values of ${name} have no order that is known` };
  let { tableID, columnID } = field;
  for (let views = 0; views <= MOST_VIEWS; views++) {
    if (tableID === 0) break;
    const found = await columnAt(client, tableID, columnID);
    if (found === undefined) break;
    if (found.view === null) {
      const { schema, table, column } = found;
      return { key: { column: name, type }, place: { schema, table, column } };
    }
    const below = await fieldsOf(client, found.view);
    ({ tableID, columnID } = below.find((each) => each.name === found.column) ?? { tableID: 0, columnID: 0 });
  }
  return { why: `${name} is no column of a table` };
}

/**
 * Values of the column that stand at about equal distances, each as text, so many at most, those after `after`: out of a
 * sample of the table's blocks. No value comes twice, as the server compares them.
 */
export async function sampled(
  client: Client,
  { key, place }: KeyPlace,
  parts: number,
  after: string | undefined,
): Promise<string[]> {
  if (parts < 2) return [];
  const table = qualified(place.schema, place.table);
  const column = `t.${ident(place.column)}`;
  const [size] = (
    await client.query<{ blocks: number }>(
      `SELECT (pg_catalog.sum(pg_catalog.pg_relation_size(p.oid)) OPERATOR(pg_catalog./) pg_catalog.current_setting('block_size')::pg_catalog.numeric)::pg_catalog.float8 AS blocks
       FROM (SELECT $1::pg_catalog.regclass::pg_catalog.oid AS oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.regclass)) p`,
      [table],
    )
  ).rows;
  const percent = Math.min(100, (100 * SAMPLE_BLOCKS) / Math.max(1, size?.blocks ?? 1));
  const fractions = Array.from({ length: parts - 1 }, (_, i) => (i + 1) / parts);
  const more = after === undefined ? '' : ` AND ${column} ${operator('>')} ${literal(after)}::${key.type}`;
  const { rows } = await client.query<{ bound: string }>(
    `SELECT b::pg_catalog.text AS bound FROM (
       SELECT DISTINCT b FROM pg_catalog.unnest((
         SELECT pg_catalog.percentile_disc($1::pg_catalog.float8[]) WITHIN GROUP (ORDER BY ${column})
         FROM ${table} AS t TABLESAMPLE SYSTEM (${percent}) REPEATABLE (1) WHERE ${column} IS NOT NULL${more}
       )) AS b WHERE b IS NOT NULL
     ) AS bounds ORDER BY b`,
    [fractions],
  );
  return rows.map(({ bound }) => bound);
}

/** What stands around a query whose rows in `range` are wanted, in the order of the key. */
export function keyRange(
  { column, type }: Key,
  { from, to, nulls }: Omit<Range, 'by'>,
): readonly [string, string] {
  const key = `q.${ident(column)}`;
  const value = (text: string) => `${literal(text)}::${type}`;
  const conditions =
    nulls === true
      ? [`${key} IS NULL`]
      : [
          ...(from === undefined ? [] : [`${key} ${operator('>=')} ${value(from)}`]),
          ...(to === undefined ? [] : [`${key} ${operator('<')} ${value(to)}`]),
          ...(from === undefined && to === undefined ? [`${key} IS NOT NULL`] : []),
        ];
  return ['SELECT q.* FROM (', `) AS q WHERE ${conditions.join(' AND ')} ORDER BY ${key}`];
}

/** The bytes of a query's rows, as the server expects them. */
export const bytesOf = (plan: PlanNode): number => plan['Plan Rows'] * (plan['Plan Width'] + 24);

/** Why a query with this plan gives no rows that can be told apart by a key; undefined where it may. */
export function choosing(plan: PlanNode): string | undefined {
  const kind = hasNode(plan, CHOOSING);
  return kind === undefined ? undefined : `it chooses rows (${kind}), and may choose others for every part`;
}

/** What parts would cost. */
export interface Costs {
  /** All of them, in the server's units: estimated from some. */
  readonly cost: number;
  /** The bytes of the largest of those. */
  readonly largest: number;
  /** Whether the server would read the whole table for each. */
  readonly whole: boolean;
}

/** What parts at `ranges` would cost the server, as it estimates it. */
export async function costOf(
  client: Client,
  sql: string,
  { key, place }: KeyPlace,
  ranges: readonly Omit<Range, 'by'>[],
): Promise<Costs> {
  const valued = ranges.filter(({ nulls }) => nulls !== true);
  const every = Math.ceil(valued.length / ASKED_PARTS);
  const asked = valued.filter((_, at) => at % every === 0);
  let cost = 0;
  let wholes = 0;
  let largest = 0;
  for (const range of asked) {
    const plan = await planOf(client, sql, key, range);
    if (readsWhole(plan, place)) wholes++;
    cost += plan['Total Cost'];
    largest = Math.max(largest, bytesOf(plan));
  }
  const nulls = await planOf(client, sql, key, { nulls: true });
  return {
    cost: (cost / asked.length) * valued.length + nulls['Total Cost'],
    largest: Math.max(largest, bytesOf(nulls)),
    whole: wholes === asked.length,
  };
}

async function planOf(client: Client, sql: string, key: Key, range: Omit<Range, 'by'>): Promise<PlanNode> {
  const [before, behind] = keyRange(key, range);
  return planOfQuery(client, `${before}${bare(sql)}\n${behind}`);
}

const readsWhole = (plan: PlanNode, place: Place): boolean =>
  (plan['Node Type'] === 'Seq Scan' &&
    plan.Schema === place.schema &&
    plan['Relation Name'] === place.table) ||
  (plan.Plans ?? []).some((each) => readsWhole(each, place));

const operator = (name: string) => `OPERATOR(pg_catalog.${name})`;

interface Field {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
}

async function fieldsOf(client: Client, sql: string): Promise<readonly Field[]> {
  const { fields } = await client.query({
    text: `SELECT * FROM (${bare(sql)}\n) AS q LIMIT 0`,
    rowMode: 'array',
  });
  return fields;
}

/** A type as a statement names it, that of its domain; undefined where its values are not compared by operators of the server's own. */
async function typeOf(client: Client, oid: number): Promise<string | undefined> {
  const { rows } = await client.query<{ schema: string; name: string; known: boolean }>(
    `WITH RECURSIVE base AS (
       SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_type t WHERE t.oid OPERATOR(pg_catalog.=) $1
       UNION ALL SELECT t.oid, t.typtype, t.typbasetype FROM base b JOIN pg_catalog.pg_type t
         ON b.typtype OPERATOR(pg_catalog.=) 'd' AND t.oid OPERATOR(pg_catalog.=) b.typbasetype
     )
     SELECT n.nspname AS schema, t.typname AS name,
       t.typtype OPERATOR(pg_catalog.=) 'e' OR n.nspname OPERATOR(pg_catalog.=) 'pg_catalog' AND t.typname OPERATOR(pg_catalog.=) ANY ($2::pg_catalog.name[]) AS known
     FROM base b JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) b.oid JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.typnamespace
     WHERE b.typtype OPERATOR(pg_catalog.<>) 'd'`,
    [oid, ORDERED],
  );
  const [type] = rows;
  return type?.known === true ? qualified(type.schema, type.name) : undefined;
}

/** The column of a relation, and the text of the view that it is. */
async function columnAt(
  client: Client,
  table: number,
  column: number,
): Promise<(Place & { readonly view: string | null }) | undefined> {
  const { rows } = await client.query<Place & { readonly view: string | null }>(
    `SELECT n.nspname AS schema, c.relname AS table, a.attname AS column,
       CASE WHEN c.relkind OPERATOR(pg_catalog.=) 'v' THEN pg_catalog.pg_get_viewdef(c.oid) END AS view
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
     JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attnum OPERATOR(pg_catalog.=) $2
     WHERE c.oid OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,m,p,v}'::"char"[])`,
    [table, column],
  );
  return rows[0];
}
