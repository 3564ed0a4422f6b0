import type { Client } from 'pg';

/** A session that holds a lock which a publish waits for. */
export interface Blocker {
  /** 0: a prepared transaction, which no session holds. */
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  readonly state: string;
  /** `client backend`, `autovacuum worker`, … */
  readonly backend: string;
  /** How long its transaction has been open. */
  readonly ageMs: number;
  /** Its latest statement, cut to 200 characters. */
  readonly query: string;
  /** The relations it holds locks on that the publish waits for, as far as they can be told. */
  readonly relation: string | null;
}

const BLOCKERS = `
SELECT b.pid, coalesce(a.usename::text, '') AS user, coalesce(a.application_name, '') AS application,
  coalesce(a.state, '') AS state, coalesce(a.backend_type, 'prepared transaction') AS backend,
  coalesce(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000, 0)::float8 AS "ageMs",
  left(coalesce(a.query, ''), 200) AS query,
  (SELECT l.relation::regclass::text FROM pg_catalog.pg_locks l WHERE l.pid = $1 AND NOT l.granted
    AND l.locktype = 'relation' LIMIT 1) AS relation
FROM unnest(pg_catalog.pg_blocking_pids($1)) AS b(pid) LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid`;

/** Who keeps session `pid` waiting right now; empty when nobody does. */
export async function blockersOf(client: Client, pid: number): Promise<Blocker[]> {
  const { rows } = await client.query<Blocker>(BLOCKERS, [pid]);
  return rows.map((row) => ({ ...row, ageMs: Math.round(row.ageMs) }));
}

/** The blocker as one line of a message. */
export function describeBlocker(blocker: Blocker): string {
  if (blocker.pid === 0) return 'a prepared transaction';
  const who = [blocker.user, blocker.application].filter((part) => part !== '').join(', ');
  const age = `${(blocker.ageMs / 1000).toFixed(1)} s`;
  const on = blocker.relation === null ? '' : ` on ${blocker.relation}`;
  return `pid ${blocker.pid} (${who || blocker.backend}; ${blocker.state || blocker.backend}, ${age})${on}: ${blocker.query}`;
}

const PREPARED = `
SELECT DISTINCT coalesce(x.gid, 'unknown') AS gid, l.relation::regclass::text AS relation
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_prepared_xacts x
  ON l.virtualtransaction = '-1/' || x.transaction
WHERE l.pid IS NULL AND l.locktype = 'relation' AND l.granted
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.relation IN (SELECT to_regclass(name) FROM unnest($1::text[]) name)`;

/** Prepared transactions that hold locks on the tables (qualified, quoted names): they never end by themselves. */
export async function preparedOn(
  client: Client,
  tables: readonly string[],
): Promise<{ gid: string; relation: string }[]> {
  return (await client.query<{ gid: string; relation: string }>(PREPARED, [tables])).rows;
}
