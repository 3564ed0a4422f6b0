/**
 * SQL for the names of the columns whose numbers stand in `numbers`, in that order, as a JSON list. `relation`: SQL for the
 * table's OID. Pure.
 */
export const columnNames = (numbers: string, relation: string): string =>
  `(SELECT coalesce(json_agg(a.attname ORDER BY u.at), '[]') FROM unnest(${numbers}) WITH ORDINALITY u(num, at) JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.num)`;

/** SQL for the numbers of the columns that are the key of an index, without those that it includes; `index`: the alias of a row of pg_index. Pure. */
export const keyNumbers = (index: string): string => `(${index}.indkey::int2[])[0:${index}.indnkeyatts - 1]`;

/**
 * The CTEs (of WITH RECURSIVE) behind the types of columns: `base` has, by `attnum`, the row of pg_type underneath all
 * domains, how many of those there are (`domains`), the type modifier in force (`typmod`) and whether one of the domains is
 * NOT NULL (`not_null`). `columns`: a condition over a row of pg_attribute, `a`. Pure.
 */
export const columnBases = (columns: string): string => `
typed AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS typmod, false AS not_null, 0 AS domains
  FROM pg_catalog.pg_attribute a WHERE ${columns}
  UNION ALL
  SELECT d.attnum, t.typbasetype, CASE WHEN d.typmod = -1 THEN t.typtypmod ELSE d.typmod END,
         d.not_null OR t.typnotnull, d.domains + 1
  FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype = 'd'
), base AS (
  SELECT d.attnum, d.typmod, d.not_null, d.domains, t.*
  FROM typed d JOIN pg_catalog.pg_type t ON t.oid = d.type WHERE t.typtype <> 'd'
)`;

/** SQL for the default of a column, as the server has parsed it: its own, or else that of its type, which a domain may have. `d`: its row of pg_attrdef or none, `y`: that of its type in pg_type. */
export const DEFAULT_TREE = `coalesce(d.adbin, CASE WHEN a.attidentity = '' THEN y.typdefaultbin END)`;

/** SQL of a FROM list: the functions `f` that a parsed expression calls, also those of operators. Pure. */
export const calledBy = (tree: string): string =>
  `pg_catalog.regexp_matches(${tree}::text, ':(?:opfuncid|funcid) (\\d+)', 'g') m(id) JOIN pg_catalog.pg_proc f ON f.oid = (m.id)[1]::pg_catalog.oid`;

/** SQL for whether a called function `f` numbers rows, or may: a sequence, or a volatile one of the user's. Random ones have no order. */
export const MAY_NUMBER = `(f.provolatile = 'v' AND (f.oid >= 16384 OR f.proname = 'nextval') AND f.proname NOT IN ('gen_random_uuid', 'uuid_generate_v4'))`;
