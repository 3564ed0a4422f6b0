import type { ClientBase } from 'pg';

/**
 * How Citus has a table over its nodes: by the hash of a column, whole on every node (reference), or in one of the ways
 * that a new table cannot be given.
 */
export type Distribution =
  | { readonly kind: 'hash'; readonly column: string }
  | { readonly kind: 'reference' }
  | { readonly kind: 'single_shard' | 'managed_local' | 'range_or_append' };

/** Whether the database has Citus, as SQL: its catalog stands in pg_catalog, where only superusers make anything. */
export const HAS_CITUS = `(pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL)`;

// partmethod: h hash, n none, r range, a append. Of those without a column one with repmodel t (replicated by two-phase
// commit) is a reference table; one in a colocation group has a single shard; the others are local to the coordinator.
const DISTRIBUTIONS = `
SELECT p.logicalrelid::pg_catalog.oid::pg_catalog.text AS oid,
  CASE WHEN p.partmethod = 'h' THEN 'hash' WHEN p.partmethod <> 'n' THEN 'range_or_append' WHEN p.repmodel = 't' THEN 'reference'
    WHEN p.colocationid <> 0 THEN 'single_shard' ELSE 'managed_local' END AS kind,
  CASE WHEN p.partmethod = 'h' THEN pg_catalog.column_to_column_name(p.logicalrelid, p.partkey) END AS column
FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid::pg_catalog.oid = ANY ($1::pg_catalog.oid[])`;

interface Row {
  readonly oid: string;
  readonly kind: Distribution['kind'];
  readonly column: string | null;
}

/** How the tables with these OIDs are distributed; those that are not are left out. For a database that HAS_CITUS. */
export async function distributionsOf(
  client: ClientBase,
  oids: readonly number[],
): Promise<ReadonlyMap<number, Distribution>> {
  const { rows } = await client.query<Row>(DISTRIBUTIONS, [oids]);
  return new Map(
    rows.map(({ oid, kind, column }): [number, Distribution] => [
      Number(oid),
      kind === 'hash' ? { kind, column: column ?? '' } : { kind },
    ]),
  );
}

/** How the table with this OID is distributed; null where it is not, as nothing is without Citus. */
export async function distributionOf(client: ClientBase, oid: number): Promise<Distribution | null> {
  const { rows } = await client.query<{ citus: boolean }>(`SELECT ${HAS_CITUS} AS citus`);
  if (rows[0]?.citus !== true) return null;
  return (await distributionsOf(client, [oid])).get(oid) ?? null;
}

/** Whether the session is on a worker node of Citus, where nothing can be made that other nodes are to know. */
export async function isWorkerNode(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ citus: boolean }>(`SELECT ${HAS_CITUS} AS citus`);
  if (rows[0]?.citus !== true) return false;
  const { rows: local } = await client.query<{ worker: boolean }>(
    'SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_local_group WHERE groupid <> 0) AS worker',
  );
  return local[0]?.worker === true;
}
