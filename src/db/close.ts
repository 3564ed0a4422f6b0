import { literal } from './quote.js';

/** What of a schema is closed: the schema itself, the functions in it, the tables, views and sequences in it. */
export type Closed = 'schema' | 'functions' | 'relations';

const QUERIES: Readonly<Record<Closed, string>> = {
  schema: `SELECT pg_catalog.format('SCHEMA %I', n.nspname) AS object, n.nspowner AS owner, a.grantee FROM ours n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a`,
  functions: `SELECT pg_catalog.format('ROUTINE %s', p.oid::pg_catalog.regprocedure), p.proowner, a.grantee FROM ours n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a`,
  relations: `SELECT pg_catalog.format('%s %I.%I', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname), c.relowner, a.grantee FROM ours n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a`,
};

/**
 * The statement that takes every right on the schemas and on what is in them from everybody but the owners. What is made
 * gets the default privileges that somebody has set up (ALTER DEFAULT PRIVILEGES), and they would open to readers what
 * they may not see in live: so this is for the transaction that has made it. `what`: all of it, where left out. Pure.
 */
export function closeSchemas(
  schemas: readonly string[],
  what: readonly Closed[] = ['schema', 'functions', 'relations'],
): string {
  const names = `ARRAY[${schemas.map(literal).join(', ')}]::pg_catalog.text[]`;
  const all = what.map((each) => QUERIES[each]).join(' UNION ALL ');
  const found = `WITH ours AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname::pg_catalog.text = ANY (${names})) SELECT DISTINCT f.object, CASE WHEN f.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.format('%I', r.rolname) END AS role FROM (${all}) f(object, owner, grantee) LEFT JOIN pg_catalog.pg_roles r ON r.oid = f.grantee WHERE f.grantee <> f.owner ORDER BY 1, 2`;
  const body = `DECLARE sluice_each record; BEGIN FOR sluice_each IN ${found} LOOP EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s CASCADE', sluice_each.object, sluice_each.role); END LOOP; END`;
  return `DO ${literal(body)}`;
}
