import type { PgDatabase } from '../../db/connect.js';
import { readPublished } from '../../db/ledger/published.js';
import { type LedgerView, standingViews } from '../../db/ledger/views.js';

/** Who uses one version of an application's tables. Moments are null where nothing tells. */
interface VersionUse {
  readonly version: 'old' | 'new';
  /** As the application calls itself (application_name). */
  readonly application: string;
  readonly role: string;
  /** Sessions open now whose last statement, or whose locks, are of this version. */
  readonly sessions: number;
  /** When the last of those statements began. */
  readonly last_statement: Date | null;
  /** When it last wrote through a view, to the minute, where a function stands behind the view. */
  readonly last_write: Date | null;
}

/** Which of both versions is in use, and by whom. */
export interface Versions {
  /** `schema.view` of the old names. */
  readonly views: readonly string[];
  readonly uses: readonly VersionUse[];
  /** When a table that is kept aside was last read, where PostgreSQL keeps it (from version 16 on). */
  readonly old_tables_last_read: Date | null;
  /** Other sessions whose statements may not be seen, for which pg_read_all_stats is needed. */
  readonly hidden: number;
}

/**
 * Which version the sessions of the moment use, told by their locks and, with the qualified names in it, by the
 * statement that they ran last; beside it who has written through the views. Undefined where the batch has no views.
 * An unqualified name that both versions have (`tasks`) tells nothing.
 */
export async function versionsInUse(database: PgDatabase, batch: string): Promise<Versions | undefined> {
  const views = await standingViews(database, batch);
  if (views.length === 0) return undefined;
  const tables = (await readPublished(database, batch)).filter((each) => each.rolled_back_at === null);
  const fresh = tables.map((each) => ({ schema: each.table_schema, name: each.table_name }));
  const uses = await database.query<VersionUse & Record<string, unknown>>(USES, [
    views.map(({ oid }) => oid),
    fresh.map(({ schema, name }) => `${schema}.${name}`),
    pattern(views, fresh),
    pattern(fresh, views),
    views.map(({ schema }) => schema),
    views.map(({ name }) => name),
  ]);
  const [rest] = await database.query<{ read: Date | null; hidden: number }>(
    `SELECT (SELECT max(greatest((to_jsonb(t) ->> 'last_idx_scan')::timestamptz, (to_jsonb(t) ->> 'last_seq_scan')::timestamptz))
             FROM pg_stat_all_tables t WHERE relid = ANY ($1::oid[])) AS read,
            (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND query = '<insufficient privilege>') AS hidden`,
    [views.flatMap(({ kept }) => kept ?? [])],
  );
  return {
    views: views.map(({ schema, name }) => `${schema}.${name}`),
    uses,
    old_tables_last_read: rest?.read ?? null,
    hidden: rest?.hidden ?? 0,
  };
}

const escaped = (name: string) => name.replace(/[^A-Za-z0-9_]/g, '\\$&');

/** A regular expression of PostgreSQL's that finds names of `these` in a statement: qualified ones, and those not among `others`. */
function pattern(
  these: readonly Pick<LedgerView, 'schema' | 'name'>[],
  others: readonly Pick<LedgerView, 'schema' | 'name'>[],
): string {
  return these
    .map(({ schema, name }) => {
      const qualified = `\\m${escaped(schema)}"?\\."?${escaped(name)}\\M`;
      const alone = others.some((other) => other.name === name) ? [] : [`\\m${escaped(name)}\\M`];
      return [qualified, ...alone].join('|');
    })
    .join('|');
}

const USES = `
WITH seen AS (
  SELECT a.application_name AS application, a.usename::text AS role, a.query_start,
    EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.relation = ANY ($1::oid[])) OR a.query ~ $3 AS old,
    EXISTS (SELECT FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE l.pid = a.pid AND n.nspname || '.' || c.relname = ANY ($2)) OR a.query ~ $4 AS new
  FROM pg_stat_activity a
  WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
    AND a.application_name !~ '^sluice'
), sessions AS (
  -- A view locks what it reads, so a session that holds both uses the view.
  SELECT CASE WHEN old THEN 'old' ELSE 'new' END AS version, application, role, count(*)::int AS sessions, max(query_start) AS last_statement
  FROM seen WHERE old OR new GROUP BY 1, 2, 3
), writes AS (
  SELECT 'old' AS version, u.application, u.role, max(u.last_write) AS last_write
  FROM sluice.migration_view_use u JOIN unnest($5::text[], $6::text[]) v(schema, name) ON v.schema = u.view_schema AND v.name = u.view_name
  GROUP BY 2, 3
)
SELECT version, application, role, coalesce(s.sessions, 0) AS sessions, s.last_statement, w.last_write
FROM sessions s FULL JOIN writes w USING (version, application, role)
ORDER BY version DESC, application, role`;
