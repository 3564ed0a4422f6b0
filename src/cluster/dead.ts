import type { PgDatabase } from '../db/connect.js';
import { stillRunning } from '../db/ledger/batches.js';
import { forgetParts, jobKey, type Queue } from './queue.js';
import { QUEUE_SCHEMA as S } from './schema.js';

/** The class of the advisory lock that a worker's session holds; the object is the worker's own number. */
export const HOST_LOCK = 0x51c1d4;

/** Whether the worker `h` still has its session, as SQL. */
export const HELD = `EXISTS (SELECT FROM pg_locks l
       WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = ${HOST_LOCK} AND l.objid = h.lock::oid AND l.granted
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** A worker that is not heard of for so long may be gone; should it wake up, the ledger says what it has missed. */
const SILENT_S = 15;

/** Whose the sessions of the worker with that number are, as their names say. */
export const workerName = (lock: number): string => `worker ${lock}`;

/**
 * Has the parts of the target's workers that are dead or silent done by others. Their sessions are ended first: that of a
 * host which is cut off, or of a process that sleeps, may be in the middle of a part's transaction, and whoever loads the
 * part again would wait for it. A worker that wakes up then opens others.
 */
export async function buryDead(queue: Queue): Promise<void> {
  const { database, target, loads } = queue;
  const dead = await database.query<{ pool: string; lock: number }>(
    `SELECT h.pool, h.lock FROM ${S}.sluice_host h
     WHERE (h.seen_at < clock_timestamp() - interval '${SILENT_S} s' OR NOT ${HELD})
       AND EXISTS (SELECT FROM unnest(h.takes) AS job WHERE job LIKE '% ' || $1 || ' %')`,
    [target],
  );
  if (dead.length === 0) return;
  const locks = dead.map(({ lock }) => lock);
  await endSessions(loads, locks);
  if (loads !== database) await endSessions(database, locks);
  await letGo(
    queue,
    dead.map(({ pool }) => pool),
  );
}

/**
 * Takes away what nobody does any more. Parts of batches that have ended while whoever began them could not say so to the
 * queue. And jobs of parts that were forgotten while a worker had them locked: they lose their key then, and are never
 * tried again; but they stay where that worker did not come to say that it has done with them.
 */
export async function sweepQueue(queue: Queue): Promise<void> {
  const { database, target, loads } = queue;
  const flows = await database.query<{ batch: string; flow: number }>(
    `SELECT batch::text, flow FROM ${S}.sluice_flow WHERE target = $1`,
    [target],
  );
  if (flows.length > 0) {
    const running = await stillRunning(
      loads,
      flows.map(({ batch }) => batch),
    );
    for (const { batch, flow } of flows) if (!running.has(batch)) await forgetParts(queue, batch, flow);
  }
  await database.query(
    `SELECT ${S}.complete_jobs(array_agg(id)) FROM ${S}.jobs
     WHERE key IS NULL AND locked_at IS NULL AND task_identifier LIKE 'sluice %' HAVING count(*) > 0`,
  );
}

/** Has others do what is locked by workers of these names, and forgets the names. */
export async function letGo({ database }: Queue, pools: readonly string[]): Promise<void> {
  await database.query(`SELECT ${S}.force_unlock_workers($1::text[])`, [pools]);
  // Jobs that were tried before wait for longer; a death says nothing against the part.
  await database.query(
    `WITH again AS (UPDATE ${S}.sluice_part SET state = 'waiting' WHERE state = 'taken' AND pool = ANY ($1) RETURNING target, batch, flow, start)
     SELECT ${S}.reschedule_jobs(array_agg(j.id), run_at => now())
     FROM again a JOIN ${S}.jobs j ON j.key = ${jobKey('a.target', 'a.batch', 'a.flow', 'a.start')} HAVING count(*) > 0`,
    [pools],
  );
  await database.query(`DELETE FROM ${S}.sluice_host WHERE pool = ANY ($1)`, [pools]);
}

/** Ends all sessions on this server of the workers with these numbers. */
async function endSessions(database: PgDatabase, locks: readonly number[]): Promise<void> {
  await database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE usename = CURRENT_USER AND pid <> pg_backend_pid() AND application_name ~ $1`,
    [`(^|: )sluice (${locks.map(workerName).join('|')}) `],
  );
}
