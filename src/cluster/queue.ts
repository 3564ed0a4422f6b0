import type { ErrorData } from '../core/errors/as-data.js';
import { packageVersion } from '../core/package.js';
import type { PartPlace } from '../core/parts.js';
import type { PgDatabase } from '../db/connect.js';
import { queuePackage, queuePool, quiet } from './package.js';
import { makeQueueTables, ownQueueSchema, QUEUE_SCHEMA as S } from './schema.js';

/** Where the queue is: in a database of its own, or in the target's. */
export interface Queue {
  readonly database: PgDatabase;
  /** The target that it is for (`targetOf`): one queue may serve several. */
  readonly target: string;
  /** The target itself. */
  readonly loads: PgDatabase;
}

/** A part in the queue; `start` is its place's. */
export interface QueuedPart {
  readonly batch: string;
  readonly flow: number;
  readonly start: number;
}

/** A flow whose parts are in the queue. */
export interface QueuedFlow {
  readonly batch: string;
  readonly flow: number;
  /** As `sluice worker` names it. */
  readonly pipeline: string;
}

/** How far the parts of a flow are, as their workers say. */
export interface QueueState {
  /** Workers that may take them. */
  readonly workers: number;
  /** The first part that a worker has given up, and why. */
  readonly failed: { readonly host: string; readonly error: ErrorData } | undefined;
  /** What workers have left to others, and why. */
  readonly left: readonly { readonly host: string; readonly why: string }[];
}

/**
 * Workers take jobs by their names: those of this version of Sluice, for pipelines that they may run, on the target that
 * they are connected to.
 */
export const jobName = (target: string, pipeline: string): string =>
  `sluice ${packageVersion} ${target} ${pipeline}`;

/** The key of a part's job, as SQL of what it is made of: batches of several targets have the same ids. */
export const jobKey = (target: string, batch: string, flow: string, start: string): string =>
  `'sluice/' || ${target} || '/' || ${batch} || '/' || ${flow} || '/' || ${start}`;

/** The flag that a batch's jobs have. */
export const batchFlag = (target: string, batch: string): string => `${target}/${batch}`;

/**
 * The queue of the target `database`, in `own`, or in the target itself. Throws what asking throws.
 */
export async function queueOf(database: PgDatabase, own: PgDatabase | undefined): Promise<Queue> {
  return { database: own ?? database, target: await targetOf(database), loads: database };
}

/** What tells a database from all others: of which cluster, and which one there; a copy of its files is the same. */
async function targetOf(database: PgDatabase): Promise<string> {
  const [row] = await database.query<{ target: string }>(
    `SELECT (SELECT system_identifier FROM pg_control_system()) || '.' || oid AS target
     FROM pg_database WHERE datname = current_database()`,
  );
  return (row as { target: string }).target;
}

/** How often a part is tried: a worker that dies has tried it. */
const TRIES = 25;
/** Parts that are put into the queue at once. */
const BATCHED = 200;

/** Makes what the queue needs, where it is missing. Throws what `queuePackage`, `ownQueueSchema` and `queuePool` do. */
export async function openQueue({ database }: Pick<Queue, 'database'>): Promise<void> {
  const { makeWorkerUtils } = await queuePackage();
  await ownQueueSchema(database);
  const pool = await queuePool(database, 2);
  const utils = await makeWorkerUtils({ pgPool: pool, schema: S, logger: await quiet() });
  try {
    await utils.migrate();
    await makeQueueTables(database);
  } finally {
    await utils.release();
    await pool.end();
  }
}

/** Notes the flow that the parts are of: what a worker needs to know to load one. */
export async function putFlow(
  { database, target }: Queue,
  batch: string,
  flow: number,
  task: unknown,
): Promise<void> {
  await database.query(
    `INSERT INTO ${S}.sluice_flow (target, batch, flow, task) VALUES ($1, $2, $3, $4)
     ON CONFLICT (target, batch, flow) DO UPDATE SET task = excluded.task`,
    [target, batch, flow, JSON.stringify(task)],
  );
}

/** Puts parts into the queue; one that is there already is there once. */
export async function putParts(
  { database, target }: Queue,
  { batch, flow, pipeline }: QueuedFlow,
  places: readonly PartPlace[],
): Promise<void> {
  for (let at = 0; at < places.length; at += BATCHED) {
    const some = places.slice(at, at + BATCHED);
    await database.query(
      `WITH given AS (SELECT (p ->> 'start')::bigint AS start, p FROM jsonb_array_elements($3::jsonb) p), noted AS (
         INSERT INTO ${S}.sluice_part (target, batch, flow, start, place) SELECT $5, $1, $2, start, p FROM given
         ON CONFLICT (target, batch, flow, start) DO UPDATE SET state = 'waiting', place = excluded.place, error = NULL)
       SELECT ${S}.add_job($4, json_build_object('batch', $1::text, 'flow', $2::integer, 'start', start),
         job_key => ${jobKey('$5::text', '$1::text', '$2::text', 'start')}, max_attempts => ${TRIES}, flags => ARRAY[$6::text]) FROM given`,
      [batch, flow, JSON.stringify(some), jobName(target, pipeline), target, batchFlag(target, batch)],
    );
  }
}

/** Takes all parts of a flow out of the queue: workers that have one under way hear of it within a second. */
export async function forgetParts({ database, target }: Queue, batch: string, flow: number): Promise<void> {
  await database.query(
    `WITH gone AS (DELETE FROM ${S}.sluice_part WHERE target = $3 AND batch = $1 AND flow = $2 RETURNING flow, start), flows AS (
       DELETE FROM ${S}.sluice_flow WHERE target = $3 AND batch = $1 AND flow = $2)
     SELECT ${S}.remove_job(${jobKey('$3::text', '$1::text', 'flow', 'start')}) FROM gone`,
    [batch, flow, target],
  );
}

/** How far the parts of a flow are. */
export async function queueState(
  { database, target }: Queue,
  { batch, flow, pipeline }: QueuedFlow,
): Promise<QueueState> {
  const [there] = await database.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM ${S}.sluice_host WHERE $1 = ANY (takes)`,
    [jobName(target, pipeline)],
  );
  const [failed] = await database.query<{ host: string; error: ErrorData }>(
    `SELECT host, error FROM ${S}.sluice_part WHERE target = $3 AND batch = $1 AND flow = $2 AND state = 'failed' ORDER BY ended_at LIMIT 1`,
    [batch, flow, target],
  );
  const left = await database.query<{ host: string; why: string }>(
    `SELECT DISTINCT host, error ->> 'message' AS why FROM ${S}.sluice_part WHERE target = $3 AND batch = $1 AND flow = $2 AND state = 'left'`,
    [batch, flow, target],
  );
  return { workers: there?.n ?? 0, failed, left };
}
