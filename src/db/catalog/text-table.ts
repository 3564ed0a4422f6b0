import type { Database } from '../../core/run.js';

/**
 * Types of which a text means one value, for ever: built in, and neither looked up in a catalog that can be changed
 * (enums, domains, regclass) nor read by settings that are not told below (money, interval, xml).
 */
const TYPES =
  'bool,bytea,int8,int2,int4,text,json,float4,float8,bpchar,varchar,date,time,timestamp,timestamptz,numeric,uuid,jsonb';

/** What a text becomes in a table, as far as the table, the database and the session decide it. */
export interface TextTable {
  /** The columns, in their order. */
  readonly names: readonly string[];
  /** Equal wherever the same texts become the same rows: one word. */
  readonly rules: string;
}

const RULES = `
SELECT pg_catalog.json_agg(a.attname ORDER BY a.attnum) AS names,
       pg_catalog.bool_and(t.typname IS NOT NULL AND a.attgenerated = '') AS plain,
       pg_catalog.json_build_array(
         pg_catalog.json_agg(pg_catalog.json_build_array(a.attnum, a.attname, t.typname, a.atttypmod, a.attcollation) ORDER BY a.attnum),
         (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()),
         pg_catalog.current_setting('server_version'), pg_catalog.current_setting('TimeZone'))::text AS rules
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND t.typname = ANY (pg_catalog.string_to_array('${TYPES}', ','))
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped`;

/** The cluster, of which a copy has another one's OIDs and transactions; not everybody may ask. */
const MAY_ASK =
  "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may";
const CLUSTER = 'SELECT s.system_identifier::text AS cluster FROM pg_catalog.pg_control_system() s';

/**
 * By what the table `oid` makes rows of texts, where nothing else decides them than the texts of all its columns:
 * undefined where a column is computed, of a type that means something else tomorrow, or where the server does not tell
 * which it is.
 */
export async function textTable(
  database: Pick<Database, 'query'>,
  oid: number,
): Promise<TextTable | undefined> {
  const [found] = await database.query<{ names: string[] | null; plain: boolean | null; rules: string }>(
    RULES,
    [oid],
  );
  if (found?.plain !== true || found.names === null) return undefined;
  const [asked] = await database.query<{ may: boolean }>(MAY_ASK);
  if (asked?.may !== true) return undefined;
  const [server] = await database.query<{ cluster: string }>(CLUSTER);
  return { names: found.names, rules: `${server?.cluster} ${found.rules}` };
}

/** Constraints and unique indexes of the table $1, and what they depend on beside the table and its collations. */
const OTHERS = `
SELECT FROM pg_catalog.pg_depend d
WHERE (d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
         AND d.objid IN (SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1)
       OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
         AND d.objid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = $1 AND i.indisunique))
  AND NOT (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = $1)
  AND NOT (d.refclassid = ANY ('{pg_catalog.pg_constraint,pg_catalog.pg_collation}'::pg_catalog.regclass[]))`;

/** What an expression of constants and the row's own values is made of, as the server keeps it. */
const NODES =
  'VAR,CONST,OPEXPR,FUNCEXPR,SCALARARRAYOPEXPR,BOOLEXPR,NULLTEST,BOOLEANTEST,RELABELTYPE,COALESCEEXPR,CASEEXPR,CASEWHEN,CASETESTEXPR,DISTINCTEXPR,NULLIFEXPR,ARRAYEXPR';

/** CHECKs of the table $1 that may answer otherwise of the same row at another time: by the clock, or by settings. */
const UNSTEADY = `
SELECT FROM pg_catalog.pg_constraint k
WHERE k.conrelid = $1 AND k.contype = 'c' AND (
  EXISTS (SELECT FROM pg_catalog.regexp_matches(k.conbin::text, '\\{([A-Z]+)', 'g') node (name)
          WHERE NOT node.name[1] = ANY (pg_catalog.string_to_array('${NODES}', ',')))
  OR EXISTS (SELECT FROM pg_catalog.regexp_matches(k.conbin::text, 'funcid ([0-9]+)', 'g') called (oid)
             JOIN pg_catalog.pg_proc f ON f.oid = called.oid[1]::pg_catalog.oid WHERE f.provolatile <> 'i'))`;

const ACCEPTS = `
SELECT c.relkind = 'r' AND NOT c.relispartition AND NOT c.relrowsecurity
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND (k.contype IN ('f', 'x') OR NOT k.convalidated))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique
                   AND NOT (i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL))
   AND NOT EXISTS (${OTHERS}) AND NOT EXISTS (${UNSTEADY}) AS accepts
FROM pg_catalog.pg_class c WHERE c.oid = $1`;

/**
 * Whether a plain table takes the very rows that it holds once more: all its constraints hold for them, and ask nothing
 * that may answer otherwise tomorrow, such as other tables, or functions that somebody has made.
 */
export async function takesItsRowsAgain(database: Pick<Database, 'query'>, oid: number): Promise<boolean> {
  const [found] = await database.query<{ accepts: boolean }>(ACCEPTS, [oid]);
  return found?.accepts === true;
}
