import type { Client } from 'pg';
import { askCatalog } from './session.js';

/** A table that a swap must read and of which a policy hides rows from the current role. */
export interface HiddenRows {
  /** The table to be replaced. */
  readonly target: number;
  /** The table itself, or one that a foreign key links with it: `schema.table`. */
  readonly table: string;
  /** The foreign key; null for the table itself. */
  readonly key: string | null;
  readonly policies: readonly string[];
}

// PostgreSQL validates a key as whoever runs ALTER TABLE, under that role's policies. Where a parent's row-level security
// concerns a role that does not own it, it asks row by row instead, as its own triggers do, which see all rows.
const HIDDEN = `
WITH seen(target, oid, key) AS (
  SELECT c.oid, c.oid, NULL::pg_catalog.name FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1::pg_catalog.oid[])
  UNION ALL SELECT k.confrelid, k.conrelid, k.conname FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid = ANY ($1::pg_catalog.oid[]) AND k.conrelid <> ALL ($1::pg_catalog.oid[])
  UNION ALL SELECT k.conrelid, k.confrelid, k.conname FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class p ON p.oid = k.confrelid AND pg_catalog.pg_has_role(p.relowner, 'USAGE')
    WHERE k.contype = 'f' AND k.conrelid = ANY ($1::pg_catalog.oid[]) AND k.confrelid <> ALL ($1::pg_catalog.oid[]))
SELECT s.target, n.nspname || '.' || c.relname AS "table", s.key::text AS key,
  (SELECT coalesce(pg_catalog.json_agg(p.polname ORDER BY p.polname), '[]') FROM pg_catalog.pg_policy p
   WHERE p.polrelid = c.oid AND EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS r (oid)
     WHERE r.oid = 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))) AS policies
FROM seen s JOIN pg_catalog.pg_class c ON c.oid = s.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE pg_catalog.row_security_active(c.oid) ORDER BY s.target, s.key NULLS FIRST, 2`;

/** What policies hide of the tables, and of those that their foreign keys link them with. Call inside withCatalog. */
export async function readHidden(client: Client, targets: readonly number[]): Promise<HiddenRows[]> {
  return (await askCatalog<HiddenRows & Record<string, unknown>>(client, HIDDEN, [targets])).rows;
}
