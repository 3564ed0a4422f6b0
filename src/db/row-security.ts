import { connectionErrors } from '../core/errors/catalogue/connection.js';
import { SluiceError } from '../core/errors/sluice-error.js';
import { ident } from './quote.js';
import { type ServerError, sqlstateOf } from './server-error.js';

/** Asks the server something, in a session that can be asked. */
type Ask = (sql: string, parameters: readonly unknown[]) => Promise<readonly object[]>;

interface Secured {
  readonly schema: string;
  readonly table: string;
  readonly role: string;
  readonly ours: boolean;
  readonly policies: readonly string[];
}

/** A statement that the server refused since a policy would have hidden rows from it (row_security is off). */
export function isRowSecurity(error: unknown): boolean {
  return sqlstateOf(error) === '42501' && (error as ServerError).routine === 'check_enable_rls';
}

/**
 * `error`; where it is `isRowSecurity`, refused `row_security`: the table, its policies that concern the role, and
 * what to do. `what`: whose statement it was, as messages begin. `or`: what else can be done. Does not throw.
 */
export async function rowSecurityError(
  error: unknown,
  ask: Ask,
  what?: string,
  or: readonly string[] = [],
): Promise<unknown> {
  if (!isRowSecurity(error) || error instanceof SluiceError) return error;
  const { message } = error as Error;
  // The message may be in any language; it names the table alone, in quotes of some kind.
  const named = /["«„“”](.{1,256})["»“”]/u.exec(message)?.[1];
  const found = (await ask(SECURED, [named ?? null]).catch(() => [])) as readonly Secured[];
  const active = found.filter((each) => each.ours);
  const tables = active.length > 0 ? active : found;
  const [first] = tables;
  const subject = what === undefined ? '' : `${what}: `;
  if (first === undefined)
    return connectionErrors.row_security.refused({ subject, why: message, or }, { cause: error });
  const { role } = first;
  const listed = tables.map(({ schema, table, policies }) => {
    return `${schema}.${table} (${policiesText(policies)})`;
  });
  return connectionErrors.row_security.hidden(
    { subject, tables: listed, role, quoted: ident(role), or },
    { table: `${first.schema}.${first.table}`, cause: error },
  );
}

/** The policies that hide rows from a role, for a sentence. */
export function policiesText(policies: readonly string[]): string {
  return policies.length === 0
    ? 'no policy lets it see any'
    : `${policies.length === 1 ? 'policy' : 'policies'} ${policies.join(', ')}`;
}

/** Tables of a name ($1, null: all) with row-level security, those first in which it concerns the current role. */
const SECURED = `
SELECT n.nspname AS schema, c.relname AS "table", current_user::text AS role, pg_catalog.row_security_active(c.oid) AS ours,
  ARRAY(SELECT p.polname::text FROM pg_catalog.pg_policy p
        WHERE p.polrelid = c.oid AND EXISTS (
          SELECT FROM pg_catalog.unnest(p.polroles) AS r (oid)
          WHERE r.oid = 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))
        ORDER BY p.polname) AS policies
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND ($1::text IS NULL OR c.relname = $1)
ORDER BY ours DESC, n.nspname, c.relname LIMIT 10`;
