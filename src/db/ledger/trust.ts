import { ledgerErrors } from '../../core/errors/catalogue/ledger.js';
import type { Database } from '../../core/run.js';
import { ident } from '../quote.js';

/**
 * The roles whose work the session relies on: its own, those that it is a member of and may act as, and superusers; but
 * for a superuser also the database's owner. A superuser has every role's rights, and so is asked for memberships that
 * somebody has granted. Who has made a role (CREATEROLE) is its member by that alone, without its rights, and relies on
 * nothing of it.
 */
const TRUSTED = `mine(oid) AS (
    SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = CURRENT_USER
    UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN mine ON m.member = mine.oid
    WHERE coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::pg_catalog.bool, true)
       OR coalesce((pg_catalog.to_jsonb(m) ->> 'set_option')::pg_catalog.bool, true)),
  trusted(oid) AS (
    SELECT mine.oid FROM mine UNION SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolsuper
    UNION SELECT o.oid FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles o ON o.oid = d.datdba OR o.rolname = 'pg_database_owner'
    WHERE d.datname = pg_catalog.current_database()
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles me WHERE me.rolname = CURRENT_USER AND me.rolsuper))`;

/** The owner of the ledger, where it is another role than the session's, and one that the session may act as. */
export const LEDGER_OWNER = `
WITH RECURSIVE ${TRUSTED}
SELECT o.rolname::pg_catalog.text AS owner FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles o ON o.oid = n.nspowner
WHERE n.nspname = 'sluice' AND o.oid IN (SELECT mine.oid FROM mine) AND o.rolname <> CURRENT_USER
  AND pg_catalog.pg_has_role(o.oid, 'USAGE') AND pg_catalog.pg_has_role(o.oid, 'MEMBER')
  AND CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000 THEN true ELSE pg_catalog.pg_has_role(o.oid, 'SET') END`;

const LOOK = `
WITH RECURSIVE ${TRUSTED},
ledger AS (SELECT n.* FROM pg_catalog.pg_namespace n WHERE n.nspname = $1),
wrong(rank, role, line) AS (
  SELECT 0, n.nspowner, 'the schema belongs to ' FROM ledger n
  UNION ALL SELECT 1, a.grantee, 'whoever may create in it: '
    FROM ledger n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a WHERE a.privilege_type = 'CREATE'
  UNION ALL SELECT 2, c.relowner, pg_catalog.format('%I belongs to ', c.relname)
    FROM ledger n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid WHERE c.relkind <> 'i'
  UNION ALL SELECT 2, p.proowner, pg_catalog.format('the function %I belongs to ', p.proname)
    FROM ledger n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid
  UNION ALL SELECT 2, p.proowner, pg_catalog.format('the trigger %I on %I calls a function of ', t.tgname, c.relname)
    FROM ledger n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid)
SELECT n.oid::pg_catalog.int8::pg_catalog.text AS schema, CURRENT_USER::pg_catalog.text AS me,
  (SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles r WHERE r.oid = n.nspowner) AS owner,
  n.nspowner IN (SELECT t.oid FROM trusted t) AS "ownerTrusted",
  coalesce((SELECT pg_catalog.json_agg(w.line || w.name ORDER BY w.rank, w.line, w.name) FROM (
    SELECT DISTINCT w.rank, w.line, coalesce(r.rolname::pg_catalog.text, 'PUBLIC') AS name
    FROM wrong w LEFT JOIN pg_catalog.pg_roles r ON r.oid = w.role
    WHERE w.role NOT IN (SELECT t.oid FROM trusted t)) w), '[]'::pg_catalog.json) AS wrong
FROM ledger n`;

interface Looked {
  readonly schema: string;
  readonly me: string;
  readonly owner: string;
  readonly ownerTrusted: boolean;
  readonly wrong: readonly string[];
}

/** Ledgers that were found in order, by whoever asked: what has changed since was done by those that are relied on. */
const known = new WeakMap<object, string>();

/**
 * Whether the schema `sluice` is there. Throws refused `not_our_ledger` where somebody may have put things into it that
 * the session does not rely on (see TRUSTED): it would read their rows as its own, and run their triggers and views.
 */
export async function ledgerThere(database: Pick<Database, 'query'>): Promise<boolean> {
  // Of the table, whose rows are read afresh: by its name alone the server may answer out of what it has kept in mind.
  const [found] = await database.query<{ schema: string; me: string }>(
    `SELECT n.oid::pg_catalog.int8::pg_catalog.text AS schema, CURRENT_USER::pg_catalog.text AS me FROM pg_catalog.pg_namespace n WHERE n.nspname = 'sluice'`,
  );
  if (found === undefined) return false;
  const whose = `${found.schema} ${found.me}`;
  if (known.get(database) === whose) return true;
  const [looked] = await database.query<Looked & Record<string, unknown>>(LOOK, ['sluice']);
  if (looked === undefined) return false;
  if (looked.wrong.length > 0) throw notOurs(looked);
  known.set(database, whose);
  return true;
}

/**
 * Who else might have put things into a schema that the session is to rely on: a line each, none where it is in order;
 * undefined where there is no such schema.
 */
export async function strangersIn(
  database: Pick<Database, 'query'>,
  schema: string,
): Promise<readonly string[] | undefined> {
  const [looked] = await database.query<Looked & Record<string, unknown>>(LOOK, [schema]);
  return looked?.wrong;
}

function notOurs({ me, owner, ownerTrusted, wrong }: Looked) {
  const quoted = { me: ident(me), owner: ident(owner) };
  return ownerTrusted
    ? ledgerErrors.not_our_ledger.open({ me, owner: quoted.owner }, { details: [...wrong] })
    : ledgerErrors.not_our_ledger.ofAnother({ me, owner, quoted }, { details: [...wrong] });
}
