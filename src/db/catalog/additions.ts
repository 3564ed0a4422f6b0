import type { ClientBase } from 'pg';
import { publishErrors } from '../../core/errors/catalogue/publish.js';
import type { SluiceError } from '../../core/errors/sluice-error.js';
import { ident, qualified } from '../quote.js';
import { GUARD_TRIGGER_PREFIX } from './sql.js';

/** Something on a table of ours that none of our statements has put there: event triggers do. */
export interface Addition {
  readonly schema: string;
  readonly table: string;
  readonly kind: 'row security' | 'forced row security' | 'policy' | 'trigger' | 'rule' | 'publication';
  /** Of a policy, trigger, rule or publication. */
  readonly name: string;
}

const ADDITIONS = `
WITH own AS (SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND (c.oid = ANY ($1::pg_catalog.oid[]) OR n.nspname = ANY ($2::pg_catalog.text[])))
SELECT o.nspname AS schema, o.relname AS "table", a.kind, a.name FROM own o CROSS JOIN LATERAL (
  SELECT 'policy' AS kind, p.polname AS name FROM pg_catalog.pg_policy p WHERE p.polrelid = o.oid
  UNION ALL SELECT 'forced row security', '' WHERE o.relforcerowsecurity
  UNION ALL SELECT 'row security', '' WHERE o.relrowsecurity
  UNION ALL SELECT 'trigger', t.tgname FROM pg_catalog.pg_trigger t
    WHERE t.tgrelid = o.oid AND NOT t.tgisinternal AND NOT pg_catalog.starts_with(t.tgname, $3)
  UNION ALL SELECT 'rule', r.rulename FROM pg_catalog.pg_rewrite r WHERE r.ev_class = o.oid
  UNION ALL SELECT 'publication', p.pubname FROM pg_catalog.pg_publication_rel r
    JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = o.oid) a
ORDER BY 1, 2, 3, 4`;

/** What tables of ours have that we never give them while they are ours alone. */
export async function readAdditions(
  client: ClientBase,
  of: { readonly oids?: readonly number[]; readonly schemas?: readonly string[] },
): Promise<Addition[]> {
  const { rows } = await client.query<Addition>(ADDITIONS, [
    of.oids ?? [],
    of.schemas ?? [],
    GUARD_TRIGGER_PREFIX,
  ]);
  return rows;
}

/** The statement that takes it off. Pure. */
function takeOffStatement({ schema, table, kind, name }: Addition): string {
  const on = qualified(schema, table);
  if (kind === 'row security') return `ALTER TABLE ${on} DISABLE ROW LEVEL SECURITY`;
  if (kind === 'forced row security') return `ALTER TABLE ${on} NO FORCE ROW LEVEL SECURITY`;
  if (kind === 'publication') return `ALTER PUBLICATION ${ident(name)} DROP TABLE ONLY ${on}`;
  return `DROP ${kind.toUpperCase()} ${ident(name)} ON ${on}`;
}

/** As a message names it: `policy deny`. */
const describeAddition = ({ kind, name }: Addition): string =>
  kind === 'row security'
    ? 'row-level security'
    : kind === 'forced row security'
      ? 'FORCE ROW LEVEL SECURITY'
      : `${kind} ${name}`;

/**
 * Takes off tables of ours whatever event triggers have put on them; whether there was any of it. Throws
 * refused('event_trigger'), naming what stays: what the role may not take off, or what comes back at once. The session may
 * be in a transaction, which is then broken.
 */
export async function takeOffAdditions(
  client: ClientBase,
  of: Parameters<typeof readAdditions>[1],
): Promise<boolean> {
  const found = await readAdditions(client, of);
  if (found.length === 0) return false;
  for (const addition of found) {
    await client.query(takeOffStatement(addition)).catch((error: unknown) => {
      throw additionRefusal(
        addition.table,
        [`${describeAddition(addition)}: ${(error as Error).message}`],
        [],
        error,
      );
    });
  }
  const left = await readAdditions(client, of);
  if (left.length > 0)
    throw additionRefusal(
      (left[0] as Addition).table,
      left.map(describeAddition),
      await readEventTriggers(client),
    );
  return true;
}

/** The refusal of a table that event triggers make another one; `lines` say what it gets of them. */
export function additionRefusal(
  table: string,
  lines: readonly string[],
  triggers: readonly string[],
  cause?: unknown,
): SluiceError {
  return publishErrors.event_trigger.made(
    { table, lines },
    { details: triggers.map((each) => `event trigger ${each}`), cause },
  );
}

/** Event triggers that fire at DDL in this session, as `name (schema.function)`. */
export async function readEventTriggers(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ line: string }>(
    `SELECT pg_catalog.format('%s (%s.%s)', e.evtname, n.nspname, p.proname) AS line
     FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid
     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE e.evtevent <> 'login'
       AND e.evtenabled IN ('A', CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN 'R' ELSE 'O' END)
     ORDER BY 1`,
  );
  return rows.map(({ line }) => line);
}
