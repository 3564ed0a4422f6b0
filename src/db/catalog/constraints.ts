import type { Client } from 'pg';
import type { ConstraintFacts } from './facts.js';
import { askCatalog } from './session.js';
import { comment } from './sql.js';

// conenforced and conperiod are columns of 18 only, so they are read through to_jsonb.
const CONSTRAINTS = `
SELECT k.conname AS name, k.contype::text AS type, pg_get_constraintdef(k.oid) AS definition,
  k.convalidated AS validated, coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
  coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
  k.condeferrable AS deferrable, k.condeferred AS deferred,
  ${comment('k.oid', 'pg_constraint')} AS comment,
  CASE WHEN k.contype = 'f' THEN (SELECT json_build_object('oid', c.oid::bigint, 'schema', n.nspname, 'table', c.relname)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = k.confrelid) END AS references
FROM pg_constraint k WHERE k.conrelid = $1 AND k.contype <> 't'
ORDER BY k.contype = 'f', k.conname`;

/** The table's constraints, foreign keys last. Constraint triggers are read as triggers. */
export async function readConstraints(client: Client, oid: number): Promise<ConstraintFacts[]> {
  return (await askCatalog<ConstraintFacts>(client, CONSTRAINTS, [oid])).rows;
}
