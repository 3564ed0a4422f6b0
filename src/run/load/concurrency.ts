import { availableParallelism } from 'node:os';
import { mayBeCut } from '../../core/cuttable.js';
import { endsOf, type FlowPlan } from '../../core/flow.js';
import type { Database } from '../../core/run.js';
import type { Job } from '../job/job.js';

/** Where nobody says otherwise: one flow can wait for the disk while the other one's rows are encoded. */
const FLOWS_AT_ONCE = 2;

/** Sessions that are left to others, and to the run itself for its rejects and its snapshot. */
const SPARE_SESSIONS = 3;

/** Sessions that fill a table at once, where nobody says otherwise, on a machine of many cores. */
const MOST_LANES = 4;

/** How much is done at the same time: flows that are followed, and sessions that each has for a table. */
export interface AtOnce {
  readonly flows: number;
  readonly lanes: number;
}

/**
 * What is done at once for `flows`: as `--jobs` says, else what the machine's cores can do, but no more than there are
 * connections for. A flow has a session for each table that it fills, and one for its source; of one that is loaded in
 * parts several fill the table, if they are `cut`. At least 1.
 */
export async function atOnce(job: Job, flows: readonly FlowPlan[], cut: boolean): Promise<AtOnce> {
  const { jobs, threads = 0, database, log } = job.options;
  const wanted = Math.min(jobs ?? FLOWS_AT_ONCE, flows.length);
  const cores = Math.min(MOST_LANES, availableParallelism());
  const lanes = cut && flows.some(mayBeCut) ? (jobs ?? Math.max(cores, threads)) : 1;
  if (wanted <= 1 && lanes <= 1) return { flows: 1, lanes: 1 };
  if (!flows.some(hasSessions)) return { flows: wanted, lanes };
  const sessions = Math.max(...flows.map(({ source, root }) => (source.sessions ?? 1) + endsOf(root).length));
  // A thread has a session for its own questions, too.
  const spare = SPARE_SESSIONS + wanted * Math.min(threads, lanes);
  const free = (await freeSessions(database)) - spare;
  const room = Math.floor(free / sessions);
  const followed = Math.max(1, Math.min(wanted, room));
  // Who reads a part of a query has a session for that as well.
  const each = flows.some((flow) => mayBeCut(flow) && flow.source.kind === 'query') ? 2 : 1;
  const more = Math.floor((free - followed * sessions) / (followed * each));
  const filling = Math.max(1, Math.min(lanes, 1 + more));
  if (followed < wanted || filling < lanes)
    log.warn('less at once: the server has few connections left', { flows: followed, sessions: filling });
  return { flows: followed, lanes: filling };
}

/** Whether following a flow takes a session: what reads files and writes files has no need of a database. */
const hasSessions = ({ source, root }: FlowPlan) =>
  source.kind === 'query' || endsOf(root).some((end) => 'kind' in end);

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
