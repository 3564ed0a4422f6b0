import type { Client } from 'pg';
import type { CodeFacts, PolicyFacts } from './facts.js';
import { askCatalog } from './session.js';
import { comment, GUARD_TRIGGER_PREFIX } from './sql.js';

const TRIGGERS = `
SELECT t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled,
  ${comment('t.oid', 'pg_trigger')} AS comment,
  CASE WHEN t.tgconstraint <> 0 THEN ${comment('t.tgconstraint', 'pg_constraint')} END AS "constraintComment"
FROM pg_trigger t WHERE t.tgrelid = $1 AND NOT t.tgisinternal AND NOT starts_with(t.tgname, $2)
ORDER BY t.tgname`;

const RULES = `
SELECT r.rulename AS name, pg_get_ruledef(r.oid) AS definition, r.ev_enabled::text AS enabled,
  ${comment('r.oid', 'pg_rewrite')} AS comment
FROM pg_rewrite r WHERE r.ev_class = $1 AND r.rulename <> '_RETURN' ORDER BY r.rulename`;

const POLICIES = `
SELECT p.polname AS name, p.polpermissive AS permissive,
  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
    ELSE 'ALL' END AS command,
  (SELECT json_agg(CASE WHEN r <> 0 THEN pg_get_userbyid(r) END ORDER BY r) FROM unnest(p.polroles) r) AS roles,
  pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check,
  ${comment('p.oid', 'pg_policy')} AS comment
FROM pg_policy p WHERE p.polrelid = $1 ORDER BY p.polname`;

/** The table's own triggers, without those of foreign keys and of the write guard. */
export async function readTriggers(client: Client, oid: number): Promise<CodeFacts[]> {
  return (await askCatalog<CodeFacts>(client, TRIGGERS, [oid, GUARD_TRIGGER_PREFIX])).rows;
}

/** The table's own rules. */
export async function readRules(client: Client, oid: number): Promise<CodeFacts[]> {
  return (await askCatalog<CodeFacts>(client, RULES, [oid])).rows;
}

/** The table's row-level security policies. */
export async function readPolicies(client: Client, oid: number): Promise<PolicyFacts[]> {
  return (await askCatalog<PolicyFacts>(client, POLICIES, [oid])).rows;
}
