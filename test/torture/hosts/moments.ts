import type pg from 'pg';
import { until } from '../../support/until.js';
import type { Cluster, Host } from './cluster.js';
import { middleOf, PARTS } from './load.js';

/**
 * Where a part is when the fault strikes: some of its rows have been copied; all of them are, and so is its row in the
 * ledger, but COMMIT has not been sent; COMMIT is under way, and has not been answered.
 */
export const MOMENTS = ['in COPY', 'before COMMIT', 'in COMMIT'] as const;
export type Moment = (typeof MOMENTS)[number];

/** A worker that is held at such a moment. */
export interface Caught {
  readonly host: Host;
  readonly batch: string;
  /** Where its part begins. */
  readonly start: string;
  /** Lets it go on, and everybody else who is held. */
  lift(): Promise<void>;
}

/** A worker's session that loads a part. */
const AT_WORK = `a.application_name ~ 'batch [0-9]+ worker'`;

/** Holds a worker of the batch that is being started, as the server sees it; throws where it never comes to that. */
export async function caught(cluster: Cluster, moment: Moment, random: () => number): Promise<Caught> {
  if (moment === 'in COPY') return inCopy(cluster, Math.floor(random() * PARTS));
  const done = Math.floor((random() * PARTS) / 2);
  await until('parts that are loaded', async () => {
    const [row] = await cluster.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM sluice.migration_part p JOIN sluice_queue.sluice_flow f ON f.batch = p.batch_id`,
    );
    return row !== undefined && row.n >= done;
  });
  return moment === 'before COMMIT' ? beforeCommit(cluster) : inCommit(cluster);
}

async function inCopy(cluster: Cluster, part: number): Promise<Caught> {
  cluster.hold(middleOf(part));
  const host = await until('a worker that is held', async () => cluster.held());
  await until('rows of it that were copied', async () => {
    const [row] = await cluster.query(
      `SELECT FROM pg_stat_progress_copy c JOIN pg_stat_activity a USING (pid)
       WHERE a.client_addr = $1 AND ${AT_WORK} AND c.bytes_processed > 0`,
      [cluster.address(host.name)],
    );
    return row !== undefined;
  });
  return { host, ...(await partOf(cluster, host)), lift: async () => cluster.release() };
}

/** The ledger's parts are locked: whoever comes to write there waits, and has not sent COMMIT then. */
async function beforeCommit(cluster: Cluster): Promise<Caught> {
  const holder = await cluster.connect();
  await holder.query('BEGIN; LOCK TABLE sluice.migration_part IN SHARE MODE');
  const host = await waiting(cluster, `a.wait_event_type = 'Lock' AND a.query ~ 'migration_part'`);
  return { host, ...(await partOf(cluster, host)), lift: () => ended(holder) };
}

/** What makes commits of parts wait for whoever has its lock: they run it as the last thing before they are done. */
export const AT_COMMIT = `
  CREATE FUNCTION public.at_commit() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(4711, 0); RETURN NULL; END $$;
  CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON sluice.migration_part DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION public.at_commit()`;

async function inCommit(cluster: Cluster): Promise<Caught> {
  const holder = await cluster.connect();
  await holder.query('SELECT pg_advisory_lock(4711, 0)');
  const host = await waiting(cluster, `a.wait_event = 'advisory' AND a.query = 'COMMIT'`);
  return { host, ...(await partOf(cluster, host)), lift: () => ended(holder) };
}

async function ended(client: pg.Client): Promise<void> {
  await client.end().catch(() => {});
}

async function waiting(cluster: Cluster, how: string): Promise<Host> {
  return until('a worker that waits there', async () => {
    const [row] = await cluster.query<{ address: string }>(
      `SELECT host(a.client_addr) AS address FROM pg_stat_activity a WHERE ${AT_WORK} AND ${how}`,
    );
    return row === undefined ? undefined : cluster.hostAt(row.address);
  });
}

async function partOf(cluster: Cluster, { name }: Host): Promise<{ batch: string; start: string }> {
  const [part] = await cluster.query<{ batch: string; start: string }>(
    `SELECT batch::text, start::text FROM sluice_queue.sluice_part WHERE host = $1 AND state = 'taken'`,
    [name],
  );
  if (part === undefined) throw new Error(`${name} has no part`);
  return part;
}
