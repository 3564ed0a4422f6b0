import type { Client } from 'pg';
import { ident, literal, qualified } from '../quote.js';
import { ownObjects } from './own.js';

/** A column of a user's table that can hold OIDs as data: of type oid, regclass or regtype, or arrays or domains of them. */
export interface OidColumn {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** The type of one value, for a cast: `regclass`, `app.entity`. */
  readonly type: string;
  readonly array: boolean;
  /** Looked through in no time: small, or there is an index. */
  readonly quick: boolean;
  /** Whether the role may write to it. */
  readonly writable: boolean;
}

/** A column that holds OIDs of a table to be replaced (`target`), or of what belongs to it. */
interface KeptOid extends OidColumn {
  readonly target: number;
}

/** What the database keeps of the tables' OIDs in its rows, where no catalog knows of them. */
export interface KeptOids {
  /** All columns that were looked through. */
  readonly columns: readonly OidColumn[];
  readonly found: readonly KeptOid[];
  /** Columns that could not be looked through, a clause each: `public.log.rel, which the role may not read`. */
  readonly unread: readonly string[];
}

/** Up to this size a table without an index is looked through in the publishing transaction, or at all. */
const QUICK_BYTES = 8 << 20;
const MOST_BYTES = 2 ** 30;

const COLUMNS = `
WITH RECURSIVE layer(type, under, array_of) AS (
  SELECT t.oid, t.oid, false FROM pg_catalog.pg_type t
  UNION ALL SELECT l.type, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END, l.array_of OR t.typtype <> 'd'
  FROM layer l JOIN pg_catalog.pg_type t ON t.oid = l.under
  WHERE t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0 AND NOT l.array_of)
), holds AS (
  SELECT DISTINCT type, array_of FROM layer
  WHERE under IN ('pg_catalog.oid'::pg_catalog.regtype, 'pg_catalog.regclass'::pg_catalog.regtype, 'pg_catalog.regtype'::pg_catalog.regtype)
    AND type <> 'pg_catalog.oidvector'::pg_catalog.regtype)
SELECT n.nspname AS schema, c.relname AS "table", a.attname AS "column", h.array_of AS "array",
  pg_catalog.format_type(CASE WHEN h.array_of THEN coalesce(nullif(base.typelem, 0), t.typelem) ELSE t.oid END, NULL) AS type,
  pg_catalog.pg_relation_size(c.oid)::float8 AS bytes,
  EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL
    AND i.indkey[0] = a.attnum AND NOT h.array_of) AS indexed,
  pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')
    AND NOT pg_catalog.row_security_active(c.oid) AS readable,
  pg_catalog.has_column_privilege(c.oid, a.attnum, 'UPDATE') AS writable
FROM pg_catalog.pg_attribute a JOIN holds h ON h.type = a.atttypid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND NOT c.oid = ANY ($1::pg_catalog.oid[])
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^(pg_toast|pg_temp|sluice$|sluice_)'
ORDER BY 1, 2, a.attnum`;

/**
 * Looks for the OIDs of the tables, of their row types, indexes and identity sequences in the rows of all users'
 * tables, extensions' among them: one EXISTS for each column that can hold some. Call inside withCatalog.
 */
export async function readKeptOids(client: Client, targets: readonly number[]): Promise<KeptOids> {
  const { rows } = await client.query<
    OidColumn & { readonly bytes: number; readonly indexed: boolean; readonly readable: boolean }
  >(COLUMNS, [targets]);
  const columns: OidColumn[] = [];
  const unread: string[] = [];
  for (const { bytes, indexed, readable, ...column } of rows) {
    const name = columnName(column);
    if (!readable) unread.push(`${name}, which the role may not read`);
    else if (!indexed && bytes > MOST_BYTES)
      unread.push(`${name}, which has no index and whose table is too large to be read for it`);
    else columns.push({ ...column, quick: indexed || bytes <= QUICK_BYTES });
  }
  if (columns.length === 0) return { columns, found: [], unread };
  const asked = await client.query<{ at: number; target: number }>(foundSql(columns, targets));
  const found = asked.rows.map(({ at, target }) => ({ ...(columns[at] as OidColumn), target }));
  return { columns, found, unread };
}

/** `schema.table.column`, for messages. */
export const columnName = ({ schema, table, column }: OidColumn) => `${schema}.${table}.${column}`;

/** SQL for the oids (`target`, `id`) that are the tables', and that rows may hold. */
const idsSql = (targets: readonly number[]) =>
  `SELECT o.target, o.objid AS id FROM (${ownObjects(`ARRAY[${targets.join(', ')}]::pg_catalog.oid[]`)}) o WHERE o.part IN ('table', 'row type', 'index', 'identity')`;

function foundSql(columns: readonly OidColumn[], targets: readonly number[]): string {
  const each = columns.map(
    (column, at) =>
      `SELECT ${at} AS at, t.target::pg_catalog.int8::pg_catalog.float8 AS target FROM t WHERE EXISTS (SELECT FROM ONLY ${qualified(column.schema, column.table)} x WHERE ${anyOf(column, 't.ids')})`,
  );
  return `WITH t AS MATERIALIZED (SELECT i.target, pg_catalog.array_agg(i.id) AS ids FROM (${idsSql(targets)}) i GROUP BY i.target) ${each.join(' UNION ALL ')}`;
}

/** SQL for whether a row of the column's table (`x`) holds one of the oids in `ids` (an oid[]). */
function anyOf({ column, array }: OidColumn, ids: string): string {
  const name = `x.${ident(column)}`;
  return array
    ? `${name}::pg_catalog.oid[] OPERATOR(pg_catalog.&&) ${ids}`
    : `${name}::pg_catalog.oid OPERATOR(pg_catalog.=) ANY (${ids})`;
}

/** SQL for a condition: a row holds an OID of the table. For columns that are looked through quickly. Pure. */
export function keepsOid(column: OidColumn, target: number): string {
  return `EXISTS (SELECT FROM ONLY ${qualified(column.schema, column.table)} x WHERE ${anyOf(column, `ARRAY(SELECT i.id FROM (${idsSql([target])}) i)`)})`;
}

/**
 * A statement that makes the OIDs of the table `live` in a column those of `staged`, which takes its place: of table,
 * row type and array, and of the indexes and identity sequences of the same names. Runs under any search_path. Pure.
 */
export function rewriteOids(column: OidColumn, live: number, staged: number): string {
  const [was, is] = [`${live}::pg_catalog.oid`, `${staged}::pg_catalog.oid`];
  const both = (what: string, from: string) => `SELECT a.${what} AS was, b.${what} AS is ${from}`;
  const sequence = (table: string) =>
    `(SELECT d.objid AS oid, d.refobjsubid AS at FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = ${table} AND d.deptype = 'i' AND d.refobjsubid > 0)`;
  const named = (table: string) =>
    `(SELECT i.indexrelid AS oid, c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ${table})`;
  const classes = `FROM pg_catalog.pg_class a CROSS JOIN pg_catalog.pg_class b WHERE a.oid = ${was} AND b.oid = ${is}`;
  const pairs = [
    `SELECT ${was} AS was, ${is} AS is`,
    both('reltype', classes),
    both(
      'typarray',
      `FROM pg_catalog.pg_type a CROSS JOIN pg_catalog.pg_type b WHERE a.typrelid = ${was} AND b.typrelid = ${is}`,
    ),
    both('oid', `FROM ${named(was)} a JOIN ${named(is)} b ON a.relname = b.relname`),
    both('oid', `FROM ${sequence(was)} a JOIN ${sequence(is)} b ON a.at = b.at`),
  ].join(' UNION ALL ');
  const name = ident(column.column);
  const to = (id: string) => `${id}::${column.type}`;
  const set = column.array
    ? `pg_catalog.array_replace(x.${name}, ${to('p.was')}, ${to('p.is')})`
    : to('p.is');
  const body = `DECLARE p pg_catalog.record; BEGIN FOR p IN ${pairs} LOOP UPDATE ONLY ${qualified(column.schema, column.table)} x SET ${name} = ${set} WHERE ${anyOf(column, 'ARRAY[p.was]')}; END LOOP; END`;
  return `DO ${literal(body)}`;
}
