import type { Client, ClientBase } from 'pg';
import { policiesOf, rulesOf, triggersOf } from './code.js';
import { constraintsOf } from './constraints.js';
import { distributionsOf, HAS_CITUS } from './distribution.js';
import type { TableFacts } from './facts.js';
import { indexesOf } from './indexes.js';
import { askCatalog } from './session.js';
import { columnOptions, comment, grantsJson, ownerDefault } from './sql.js';
import { statisticsOf } from './statistics.js';

/** The table's OID, or undefined where there is no relation of that name. */
export async function tableOid(
  client: ClientBase,
  schema: string,
  table: string,
): Promise<number | undefined> {
  const { rows } = await client.query<{ oid: number }>(
    `SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  );
  return rows[0]?.oid;
}

// As int8, since JSON has an OID as text.
const CLASS = (oid: string) => `
SELECT c.oid::int8, n.nspname AS schema, c.relname AS table, pg_get_userbyid(c.relowner) AS owner,
  c.relkind::text AS kind, c.relpersistence::text AS persistence, am.amname AS "accessMethod",
  ts.spcname AS tablespace,
  coalesce(to_json(c.reloptions), '[]') AS options, coalesce(to_json(tc.reloptions), '[]') AS "toastOptions",
  c.relreplident::text AS "replicaIdentity", c.relrowsecurity AS "rowSecurity",
  c.relforcerowsecurity AS "forceRowSecurity", ${comment('c.oid', 'pg_class')} AS comment,
  (SELECT a.typname FROM pg_type a WHERE a.oid = rt.typarray) AS "arrayType",
  ${comment('c.reltype', 'pg_type')} AS "typeComment",
  CASE WHEN rt.typacl IS NOT NULL THEN ${grantsJson('rt.typacl')} END AS "typeGrants",
  (SELECT coalesce(json_agg(g), '[]') FROM (
    SELECT json_array_elements(${grantsJson("coalesce(c.relacl, acldefault('r', c.relowner))")}) AS g
    UNION ALL
    SELECT json_array_elements(${grantsJson('a.attacl', 'a.attname')})
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped) all_grants
  ) AS grants,
  ${ownerDefault('c.relacl', 'r', 'c.relowner')} AS "ownerGrantsAreDefault"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am am ON am.oid = c.relam LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid LEFT JOIN pg_type rt ON rt.oid = c.reltype
WHERE c.oid = ${oid}`;

const COLUMNS = (oid: string) => `
SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull",
  pg_get_expr(d.adbin, d.adrelid) AS default, a.attgenerated::text AS generated,
  a.attidentity::text AS identity,
  CASE WHEN a.attcollation <> t.typcollation THEN
    (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
     JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END AS collation,
  a.attstorage::text AS storage, a.attcompression::text AS compression,
  coalesce(a.attstattarget, -1)::int AS statistics, to_json(${columnOptions('a')}) AS options,
  ${comment('a.attrelid', 'pg_class', 'a.attnum')} AS comment, a.attndims::int AS dimensions,
  EXISTS (SELECT FROM pg_attrdef f JOIN pg_attribute g ON g.attrelid = f.adrelid AND g.attnum = f.adnum AND g.attgenerated <> ''
    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = f.oid AND p.refclassid = 'pg_class'::regclass
      AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum
    WHERE f.adrelid = a.attrelid AND f.adnum <> a.attnum) AS feeds
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const SEQUENCES = (oid: string) => `
WITH linked AS (
  SELECT d.objid AS seq, d.refobjsubid AS attnum,
    CASE d.deptype WHEN 'i' THEN 'identity' ELSE 'serial' END AS kind
  FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = ${oid} AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT d.refobjid, a.adnum, 'used' FROM pg_attrdef a JOIN pg_depend d
    ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid AND d.refclassid = 'pg_class'::regclass
  WHERE a.adrelid = ${oid})
SELECT DISTINCT ON (c.oid) c.oid::int8, n.nspname AS schema, c.relname AS name, a.attname AS column, l.kind,
  format_type(s.seqtypid, NULL) AS type, s.seqstart::text AS start, s.seqincrement::text AS increment,
  s.seqmin::text AS min, s.seqmax::text AS max, s.seqcache::text AS cache, s.seqcycle AS cycle,
  ${grantsJson("coalesce(c.relacl, acldefault('S', c.relowner))")} AS grants,
  ${ownerDefault('c.relacl', 'S', 'c.relowner')} AS "grantsAreDefault",
  ${comment('c.oid', 'pg_class')} AS comment
FROM linked l JOIN pg_class c ON c.oid = l.seq AND c.relkind = 'S' JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_sequence s ON s.seqrelid = c.oid JOIN pg_attribute a ON a.attrelid = ${oid} AND a.attnum = l.attnum
ORDER BY c.oid, l.kind = 'used'`;

const rows = (sql: string) => `(SELECT coalesce(json_agg(x), '[]') FROM (${sql}) x)`;

/** Everything in one statement, since a table is read a dozen times on its way: a row of JSON for each OID of $1. */
const FACTS = `
SELECT (SELECT to_json(x) FROM (${CLASS('o.oid')}) x) AS own, ${rows(COLUMNS('o.oid'))} AS columns,
  ${rows(SEQUENCES('o.oid'))} AS sequences, ${rows(constraintsOf('o.oid'))} AS constraints, ${rows(indexesOf('o.oid'))} AS indexes,
  ${rows(triggersOf('o.oid'))} AS triggers, ${rows(rulesOf('o.oid'))} AS rules, ${rows(policiesOf('o.oid'))} AS policies,
  ${rows(statisticsOf('o.oid'))} AS statistics, ${HAS_CITUS} AS citus
FROM unnest($1::oid[]) WITH ORDINALITY o (oid, at) ORDER BY o.at`;

type Own = Omit<TableFacts, Parts | 'distribution'>;
type Parts =
  | 'columns'
  | 'sequences'
  | 'constraints'
  | 'indexes'
  | 'triggers'
  | 'rules'
  | 'policies'
  | 'statistics';

/** Reads everything that the catalog says of the table itself. Call inside withCatalog. */
export async function readTable(client: Client, oid: number): Promise<TableFacts | undefined> {
  return (await readTables(client, [oid]))[0];
}

/** The same of several tables, in their order; undefined for one that is not there. */
export async function readTables(
  client: Client,
  oids: readonly number[],
): Promise<(TableFacts | undefined)[]> {
  const { rows } = await askCatalog<{ own: Own | null; citus: boolean } & Pick<TableFacts, Parts>>(
    client,
    FACTS,
    [oids],
  );
  const distributions = rows[0]?.citus === true ? await distributionsOf(client, oids) : new Map();
  return rows.map(({ own, citus: _, ...parts }) =>
    own === null ? undefined : { ...own, ...parts, distribution: distributions.get(own.oid) ?? null },
  );
}
