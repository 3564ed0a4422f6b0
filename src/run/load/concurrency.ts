import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Database } from '../../core/run.js';
import type { Job } from '../job/job.js';

/** Where nobody says otherwise: one flow can wait for the disk while the other one's rows are encoded. */
const FLOWS_AT_ONCE = 2;

/** Sessions that are left to others, and to the run itself for its rejects and its snapshot. */
const SPARE_SESSIONS = 3;

/**
 * How many of `flows` are followed at once: `--jobs`, but no more than there are connections for. A flow
 * has a session for each table that it fills, and one for its source. At least 1.
 */
export async function flowsAtOnce(job: Job, flows: readonly FlowPlan[]): Promise<number> {
  const wanted = Math.min(job.options.jobs ?? FLOWS_AT_ONCE, flows.length);
  if (wanted <= 1) return 1;
  const sessions = Math.max(...flows.map(({ root }) => 1 + endsOf(root).length));
  const room = Math.floor(((await freeSessions(job.options.database)) - SPARE_SESSIONS) / sessions);
  if (room < wanted)
    job.options.log.warn('fewer flows at once: the server has few connections left', { room });
  return Math.max(1, Math.min(wanted, room));
}

/** How many more sessions there may be. */
export async function freeSessions(database: Pick<Database, 'query'>): Promise<number> {
  return (await database.query<{ free: number }>(FREE_SESSIONS))[0]?.free ?? 0;
}

/** The least that server, database and role leave; a limit of -1 is none. */
const FREE_SESSIONS = `
WITH clients AS (SELECT datid, usesysid FROM pg_stat_activity WHERE backend_type = 'client backend')
SELECT least(
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - (SELECT count(*) FROM clients),
  (SELECT nullif(d.datconnlimit, -1) - (SELECT count(*) FROM clients c WHERE c.datid = d.oid)
   FROM pg_database d WHERE d.datname = current_database()),
  (SELECT nullif(r.rolconnlimit, -1) - (SELECT count(*) FROM clients c WHERE c.usesysid = r.oid)
   FROM pg_roles r WHERE r.rolname = current_user)
)::int AS free`;
