import { comment } from './sql.js';

/**
 * SQL of the unique index that the foreign key `alias` (of pg_constraint) goes by: `{index, primary}`, where `primary` says
 * that it is the primary key's, with the key's columns in their order, so that REFERENCES without columns finds it.
 */
export const referencedKey = (alias: string) =>
  `(SELECT json_build_object('index', i.relname, 'primary', x.indisprimary
      AND NOT coalesce((to_jsonb(${alias}) ->> 'conperiod')::boolean, false)
      AND ${alias}.confkey = (SELECT array_agg(u.attnum ORDER BY u.at) FROM unnest(x.indkey::int2[]) WITH ORDINALITY u(attnum, at)
        WHERE u.at <= x.indnkeyatts))
    FROM pg_class i JOIN pg_index x ON x.indexrelid = i.oid WHERE i.oid = ${alias}.conindid)`;

/**
 * SQL of the table's constraints (ConstraintFacts), foreign keys last; constraint triggers are triggers. conenforced and
 * conperiod are columns of 18 only, so they are read through to_jsonb.
 */
export const constraintsOf = (oid: string) => `
SELECT k.conname AS name, k.contype::text AS type, pg_get_constraintdef(k.oid) AS definition,
  k.convalidated AS validated, coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
  coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
  k.condeferrable AS deferrable, k.condeferred AS deferred,
  ${comment('k.oid', 'pg_constraint')} AS comment,
  CASE WHEN k.contype = 'f' THEN (SELECT json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname,
      'key', ${referencedKey('k')})
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.confrelid) END AS references
FROM pg_constraint k WHERE k.conrelid = ${oid} AND k.contype <> 't'
  -- Of a key to a partitioned table there is a copy for each partition, which comes and goes with it.
  AND NOT (k.contype = 'f' AND k.conparentid <> 0)
ORDER BY k.contype = 'f', k.conname`;
