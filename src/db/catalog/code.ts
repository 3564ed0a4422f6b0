import { literal } from '../quote.js';
import { comment, GUARD_TRIGGER_PREFIX } from './sql.js';

/** SQL of the table's own triggers (CodeFacts), without those of foreign keys and of the write guard. */
export const triggersOf = (oid: string) => `
SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled,
  ${comment('t.oid', 'pg_trigger')} AS comment,
  CASE WHEN t.tgconstraint <> 0 THEN ${comment('t.tgconstraint', 'pg_constraint')} END AS "constraintComment"
FROM pg_trigger t WHERE t.tgrelid = ${oid} AND NOT t.tgisinternal AND NOT starts_with(t.tgname, ${literal(GUARD_TRIGGER_PREFIX)})
ORDER BY t.tgname`;

/** SQL of the table's own rules (CodeFacts). */
export const rulesOf = (oid: string) => `
SELECT r.rulename AS name, pg_get_ruledef(r.oid) AS definition, r.ev_enabled::text AS enabled,
  ${comment('r.oid', 'pg_rewrite')} AS comment
FROM pg_rewrite r WHERE r.ev_class = ${oid} AND r.rulename <> '_RETURN' ORDER BY r.rulename`;

/** SQL of the table's row-level security policies (PolicyFacts). */
export const policiesOf = (oid: string) => `
SELECT p.polname AS name, p.polpermissive AS permissive,
  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
    ELSE 'ALL' END AS command,
  (SELECT json_agg(CASE WHEN r <> 0 THEN pg_get_userbyid(r) END ORDER BY r) FROM unnest(p.polroles) r) AS roles,
  pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check,
  ${comment('p.oid', 'pg_policy')} AS comment
FROM pg_policy p WHERE p.polrelid = ${oid} ORDER BY p.polname`;
