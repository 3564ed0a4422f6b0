import { randomInt } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { type ErrorData, errorAsData } from '../core/errors/as-data.js';
import type { PartPlace } from '../core/parts.js';
import { queuePackage, queuePool, quiet } from './package.js';
import { batchFlag, buryDead, HOST_LOCK, jobName, openQueue, type Queue, type QueuedPart } from './queue.js';
import { QUEUE_SCHEMA as S } from './schema.js';

/** How often a worker says that it is there, and looks after the others and its own parts. */
const TICK_MS = 1_000;

/** A part as it is taken. */
export interface TakenPart {
  readonly place: PartPlace;
  /** What is known of its flow. */
  readonly task: unknown;
  /** How often it was begun, this time among them. */
  readonly tries: number;
}

/** What a worker does with the parts that it takes. */
export interface Works {
  readonly queue: Queue;
  /** How many parts at once. */
  readonly jobs: number;
  /** The pipelines that it may run, by name. */
  readonly pipelines: readonly string[];
  /** Ends when there is nothing to do. */
  readonly once: boolean;
  /** Aborted when it is to stop: what is under way is finished first. */
  readonly signal: AbortSignal;
  /** Loads a part: how many rows it had. `signal` is aborted where its batch has ended. */
  load(part: QueuedPart, taken: TakenPart, signal: AbortSignal): Promise<number>;
  /** What is to become of a part that could not be loaded: another has it, tries later, the batch fails of it. */
  judge(error: unknown): 'done' | 'left' | 'again' | 'failed';
  say(text: string): void;
}

/** Takes parts out of the queue and loads them, until it is stopped. Throws what `openQueue` does. */
export async function workQueue(works: Works): Promise<void> {
  const { queue, jobs, pipelines, signal } = works;
  const { database, target } = queue;
  await openQueue(queue);
  const { run, runOnce } = await queuePackage();
  const pool = await queuePool(database, jobs + 2);
  const underWay = new Map<string, { readonly part: QueuedPart; readonly stop: AbortController }>();
  const host = hostname();
  const lock = randomInt(1, 2 ** 31 - 1);
  /** Batches whose parts it leaves to others. */
  const left = new Set<string>();
  const events = new EventEmitter();
  let name = '';
  events.on('pool:create', ({ workerPool }: { workerPool: { id: string } }) => {
    name = workerPool.id;
  });
  const lockSession = await database.connect('worker');
  await lockSession.query(`SELECT pg_advisory_lock(${HOST_LOCK}, $1)`, [lock]);
  const tick = async () => {
    if (name === '') return;
    await lockSession.query(
      `INSERT INTO ${S}.sluice_host (pool, host, lock, takes, seen_at) VALUES ($1, $2, $3, $4, clock_timestamp())
       ON CONFLICT (pool) DO UPDATE SET seen_at = excluded.seen_at`,
      [name, host, lock, pipelines.map((pipeline) => jobName(target, pipeline))],
    );
    await buryDead(queue);
    for (const { part, stop } of underWay.values()) if (!(await isWanted(queue, part))) stop.abort();
  };
  const task = async (payload: unknown) => {
    const part = queuedPart(payload);
    const [given] = await database.query<TakenPart & Record<string, unknown>>(
      `UPDATE ${S}.sluice_part p SET state = 'taken', host = $4, pool = $5, tries = tries + 1, taken_at = clock_timestamp()
       FROM ${S}.sluice_flow f WHERE p.target = $6 AND p.batch = $1 AND p.flow = $2 AND p.start = $3
         AND f.target = p.target AND f.batch = p.batch AND f.flow = p.flow
       RETURNING p.place, f.task, p.tries`,
      [part.batch, part.flow, part.start, host, name, target],
    );
    // The batch has ended.
    if (given === undefined) return;
    const stop = new AbortController();
    const key = `${part.batch}/${part.flow}/${part.start}`;
    underWay.set(key, { part, stop });
    try {
      const rows = await works.load(part, given, stop.signal);
      await ended(queue, part, 'done', { rows });
    } catch (error) {
      const what = stop.signal.aborted ? 'done' : works.judge(error);
      const said = error instanceof Error ? error.message : String(error);
      if (what !== 'done') works.say(`batch ${part.batch}, part at ${part.start}: ${what}: ${said}`);
      await ended(queue, part, what === 'again' ? 'waiting' : what, { error: errorAsData(error) });
      if (what === 'left') left.add(batchFlag(target, part.batch));
      if (what === 'left' || what === 'again') throw error;
    } finally {
      underWay.delete(key);
    }
  };
  const options = {
    pgPool: pool,
    schema: S,
    logger: await quiet(),
    events,
    noHandleSignals: true,
    forbiddenFlags: () => [...left],
    taskList: Object.fromEntries(pipelines.map((pipeline) => [jobName(target, pipeline), task])),
  };
  const ticking = setInterval(() => void tick().catch(() => {}), TICK_MS);
  try {
    if (works.once) await runOnce({ ...options, events });
    else {
      const runner = await run({
        ...options,
        concurrency: jobs,
        pollInterval: TICK_MS,
        gracefulShutdownAbortTimeout: 600_000,
      });
      await tick();
      works.say(`waits for parts of ${pipelines.join(', ')}`);
      signal.addEventListener('abort', () => void runner.stop().catch(() => {}), { once: true });
      if (signal.aborted) await runner.stop().catch(() => {});
      await runner.promise;
    }
  } finally {
    clearInterval(ticking);
    await database.query(`DELETE FROM ${S}.sluice_host WHERE pool = $1`, [name]).catch(() => {});
    await lockSession.end().catch(() => {});
    await pool.end().catch(() => {});
  }
}

/** The part that a job is about. What stands in a queue is data that somebody else may have written. */
function queuedPart(payload: unknown): QueuedPart {
  const { batch, flow, start } = (payload ?? {}) as Record<string, unknown>;
  if (typeof batch !== 'string' || !/^\d{1,18}$/.test(batch)) throw new Error('no batch');
  if (!Number.isSafeInteger(flow) || !Number.isSafeInteger(start)) throw new Error('no part');
  return { batch, flow: Number(flow), start: Number(start) };
}

async function isWanted({ database, target }: Queue, { batch, flow, start }: QueuedPart): Promise<boolean> {
  const found = await database.query(
    `SELECT FROM ${S}.sluice_part WHERE target = $4 AND batch = $1 AND flow = $2 AND start = $3`,
    [batch, flow, start, target],
  );
  return found.length > 0;
}

async function ended(
  { database, target }: Queue,
  { batch, flow, start }: QueuedPart,
  state: string,
  { rows = null, error }: { readonly rows?: number | null; readonly error?: ErrorData },
): Promise<void> {
  await database.query(
    `UPDATE ${S}.sluice_part SET state = $4, rows = coalesce($5, rows), error = $6, ended_at = clock_timestamp()
     WHERE target = $7 AND batch = $1 AND flow = $2 AND start = $3`,
    [
      batch,
      flow,
      start,
      state,
      rows,
      error === undefined
        ? null
        : JSON.stringify(error, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
      target,
    ],
  );
}
