import { again, type Next } from '../../core/next.js';
import type { Finding } from '../../core/pipeline.js';
import type { Database } from '../../core/run.js';
import { membersOf } from '../../db/catalog/members.js';
import { ledgerThere } from '../../db/ledger/trust.js';
import { ident, qualified } from '../../db/quote.js';
import { guardedTables } from '../changes/write-guard/write-guard.js';
import type { Job } from '../job/job.js';

const PROBE = `
SELECT current_user AS role, current_database() AS database,
  has_database_privilege(current_database(), 'CREATE') AS "mayCreate",
  n.oid IS NOT NULL AS ledger,
  coalesce(has_schema_privilege(n.oid, 'USAGE'), false) AS "mayUse",
  coalesce((SELECT json_agg(w.name || ': ' || w.rights ORDER BY w.name)
    FROM (VALUES ('ledger_version', 'SELECT'), ('migration_batch', 'SELECT, INSERT, UPDATE'),
      ('migration_publish', 'SELECT, INSERT, UPDATE'), ('migration_reject', 'SELECT, INSERT, DELETE'),
      ('migration_segment', 'SELECT, INSERT, DELETE'), ('migration_part', 'SELECT, INSERT, DELETE'), ('migration_record', 'SELECT'),
      ('migration_record_row', 'SELECT, INSERT, UPDATE, DELETE'),
      ('migration_record_outcome', 'SELECT, INSERT, UPDATE, DELETE'), ('migration_field_mapping', 'SELECT'),
      ('migration_view', 'SELECT, INSERT, UPDATE'), ('migration_view_use', 'SELECT, INSERT, UPDATE')) w(name, rights)
    JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    WHERE EXISTS (SELECT FROM unnest(string_to_array(w.rights, ', ')) r WHERE NOT has_table_privilege(c.oid, r))), '[]') AS lacking
FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = 'sluice'`;

interface Probed {
  readonly role: string;
  readonly database: string;
  readonly mayCreate: boolean;
  /** Whether the ledger's schema is there. */
  readonly ledger: boolean;
  readonly mayUse: boolean;
  readonly lacking: readonly string[];
}

const GUARDED = `
SELECT w.name, current_user AS role, o.oid IS NULL AS owned, pg_get_userbyid(coalesce(o.relowner, c.relowner)) AS owner,
  coalesce(o.name, w.name) AS whose,
  EXISTS (SELECT FROM pg_class f WHERE f.relkind = 'f' AND f.oid IN (${membersOf('c.oid')})) AS foreign,
  has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
    OR has_table_privilege(c.oid, 'TRUNCATE') AS lockable
FROM unnest($1::text[]) w(name) JOIN pg_class c ON c.oid = to_regclass(w.name)
LEFT JOIN LATERAL (SELECT m.oid, m.relowner, format('%I.%I', n.nspname, m.relname) AS name
  FROM pg_class m JOIN pg_namespace n ON n.oid = m.relnamespace WHERE m.oid IN (${membersOf('c.oid')}) AND NOT pg_has_role(m.relowner, 'USAGE') ORDER BY m.oid LIMIT 1) o ON true
ORDER BY 1`;

/**
 * What the connected role may not do and the run needs, whatever the mode: schemas of the batch's own, the
 * ledger, and the guard. What a mode needs of its table is the survey's to say. Read only; each finding
 * names the GRANT that is missing. Throws refused `not_our_ledger`.
 */
export async function rightsFindings(job: Job): Promise<Finding[]> {
  const { database } = job.options;
  const names = job.tables.map(({ schema, table }) => qualified(schema, table));
  return [...(await databaseRights(database, names)), ...(await guardRights(job))];
}

/**
 * What the connected role may not do in the database, whatever is published: schemas and the ledger; and default
 * privileges that open what it, or an owner of `tables`, makes. Throws refused `not_our_ledger`.
 */
export async function databaseRights(database: Database, tables: readonly string[]): Promise<Finding[]> {
  await ledgerThere(database);
  const [probed] = await database.query<Probed & Record<string, unknown>>(PROBE);
  const findings: Finding[] = [];
  const lacks = (message: string, next: Next) => findings.push({ severity: 'error', message, next });
  if (probed === undefined) return findings;
  const role = ident(probed.role);
  if (!probed.mayCreate)
    lacks(
      `the role ${probed.role} may not create schemas in the database ${probed.database}, which staging and kept tables need`,
      `GRANT CREATE ON DATABASE ${ident(probed.database)} TO ${role}`,
    );
  if (probed.ledger && !probed.mayUse)
    lacks(
      `the role ${probed.role} may not use the ledger (schema sluice), which another role made`,
      LEDGER_GRANTS.map((grant) => `${grant} TO ${role}`),
    );
  else if (probed.lacking.length > 0)
    lacks(
      `the role ${probed.role} lacks rights on the ledger: ${probed.lacking.join('; ')}`,
      LEDGER_GRANTS.map((grant) => `${grant} TO ${role}`),
    );
  return [...findings, ...(await defaultsFindings(database, tables))];
}

/** What it may not do and the guard needs. */
async function guardRights(job: Job): Promise<Finding[]> {
  const { database, guard = 'journal' } = job.options;
  const findings: Finding[] = [];
  const lacks = (message: string, next: Next) => findings.push({ severity: 'error', message, next });
  const tables = guardedTables(job).map(({ schema, table }) => qualified(schema, table));
  if (guard === 'off' || tables.length === 0) return findings;
  const guardable = await database.query<{
    name: string;
    role: string;
    owned: boolean;
    owner: string;
    whose: string;
    foreign: boolean;
    lockable: boolean;
  }>(GUARDED, [tables]);
  for (const { name, role: me, owned, owner, whose, foreign, lockable } of guardable) {
    const role = ident(me);
    if (foreign)
      lacks(
        `partitions of ${name} are foreign tables, whose writers no guard sees`,
        again({ flags: { guard: 'off' } }, { lead: 'where nobody writes meanwhile' }),
      );
    if (guard === 'journal' && !owned)
      lacks(`the journal guard needs the rights of the owner of ${whose}, ${owner}`, [
        `GRANT ${ident(owner)} TO ${role}`,
        again({ flags: { guard: lockable ? 'lock' : 'off' } }, { lead: 'or with another guard' }),
      ]);
    if (guard === 'lock' && !lockable)
      lacks(`the lock guard needs UPDATE, DELETE or TRUNCATE on ${name}`, [
        `GRANT UPDATE ON ${name} TO ${role}`,
        again({ flags: { guard: 'off' } }, { lead: 'or with no guard, where nobody writes meanwhile' }),
      ]);
  }
  return findings;
}

/** Roles other than the owner to which default privileges open what the session, or owners of the tables, make. */
const DEFAULTS = `
SELECT r.rolname::pg_catalog.text AS maker, pg_catalog.string_agg(DISTINCT
  CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE 'schemas' END, ', ') AS objects,
  pg_catalog.string_agg(DISTINCT coalesce(g.rolname::pg_catalog.text, 'PUBLIC'), ', ') AS readers
FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles r ON r.oid = d.defaclrole
CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee
WHERE d.defaclnamespace = 0 AND a.grantee <> d.defaclrole AND NOT (a.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
  AND (r.rolname = CURRENT_USER OR d.defaclrole IN (SELECT c.relowner FROM pg_catalog.unnest($1::pg_catalog.text[]) w(name)
    JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(w.name)))
GROUP BY 1 ORDER BY 1`;

/** Default privileges that open to others what is made, as warnings: what Sluice makes is closed in the same transaction. */
async function defaultsFindings(database: Database, tables: readonly string[]): Promise<Finding[]> {
  const found = await database.query<{ maker: string; objects: string; readers: string }>(DEFAULTS, [tables]);
  return found.map(({ maker, objects, readers }) => ({
    severity: 'warning',
    message: `default privileges of ${maker} open the ${objects} that it makes to ${readers}: Sluice closes its own (ledger, staging, kept tables) at once, and what anybody else makes stays open`,
    next: `look: SELECT * FROM pg_default_acl; take one away: ALTER DEFAULT PRIVILEGES FOR ROLE ${ident(maker)} REVOKE … FROM …`,
  }));
}

/** What a role needs of a ledger that another role has made; the same as in docs/privileges.md. */
export const LEDGER_GRANTS = [
  'GRANT USAGE ON SCHEMA sluice',
  'GRANT SELECT ON sluice.ledger_version',
  'GRANT SELECT, INSERT, UPDATE ON sluice.migration_batch, sluice.migration_publish',
  'GRANT SELECT, INSERT, UPDATE ON sluice.migration_view, sluice.migration_view_use',
  'GRANT SELECT, INSERT, DELETE ON sluice.migration_reject, sluice.migration_segment, sluice.migration_part',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON sluice.migration_record_row, sluice.migration_record_outcome',
  'GRANT SELECT ON sluice.migration_record, sluice.migration_field_mapping',
] as const;
