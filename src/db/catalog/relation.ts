import type { PgDatabase } from '../connect.js';
import { readings, type TableName, tableText } from '../table-name.js';
import { membersOf } from './members.js';

/** A table, view or anything else that has rows, as a name means it. */
export interface Relation extends Record<string, unknown> {
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  /** As the planner's statistics estimate them, partitions included; -1 where it was never analysed. */
  readonly rows: number;
  readonly bytes: number;
  /** relkind: r, p, v, m or f. */
  readonly kind: string;
}

/** The schemas that a name without one may mean, in order. */
async function schemasFor(database: PgDatabase, meant: readonly TableName[]): Promise<readonly string[]> {
  return meant.every(({ schema }) => schema !== null) ? [] : (await database.usersPath()).schemas;
}

/** What a name means, along the user's search path where it has no schema: see readings. Undefined where there is nothing. */
export async function findRelation(database: PgDatabase, wanted: string): Promise<Relation | undefined> {
  const meant = readings(wanted);
  const [row] = await database.query<Relation>(
    `SELECT n.nspname AS schema, c.relname AS "table", c.oid, c.relkind::text AS kind, m.rows, m.bytes
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, name, place)
     JOIN pg_class c ON c.relname = w.name JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(p.reltuples) FILTER (WHERE p.reltuples >= 0), -1)::float8 AS rows,
              coalesce(sum(pg_table_size(p.oid)), 0)::float8 AS bytes
       FROM pg_class p WHERE p.oid = c.oid AND c.relkind <> 'p'
          OR c.relkind = 'p' AND p.relkind <> 'p' AND p.oid IN (${membersOf('c.oid')})) m
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND (n.nspname = w.schema OR (w.schema IS NULL AND n.nspname = ANY ($3::text[])))
     ORDER BY w.place, array_position($3::text[], n.nspname::text) LIMIT 1`,
    [meant.map(({ schema }) => schema), meant.map(({ table }) => table), await schemasFor(database, meant)],
  );
  return row;
}

/** The names of relations of these kinds (relkind), as they are typed along the user's search path; 1,000 of them at most. */
export async function relationNames(database: PgDatabase, kinds: readonly string[]): Promise<string[]> {
  const named = await database.query<{ schema: string | null; table: string }>(
    `SELECT CASE WHEN p.place IS NULL OR p.place > min(p.place) OVER (PARTITION BY c.relname) THEN n.nspname END AS schema, c.relname AS "table"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (SELECT array_position($1::text[], n.nspname::text) AS place) p
     WHERE c.relkind = ANY ($2::"char"[]) AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'sluice')
     ORDER BY 2, 1 LIMIT 1000`,
    [(await database.usersPath()).schemas, kinds],
  );
  return named.map(tableText);
}
