import { EventEmitter } from 'node:events';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorAsData } from '../core/errors/as-data.js';
import { isOutOfReach } from '../db/connection-error.js';
import { buryDead, sweepQueue } from './dead.js';
import { queuePackage, queuePool, quiet } from './package.js';
import type { Presence } from './presence.js';
import { batchFlag, jobName, type QueuedPart } from './queue.js';
import { QUEUE_SCHEMA } from './schema.js';
import { isWanted, partEnded, queuedPart, take } from './taken.js';
import type { Works } from './works.js';

/** How often a worker says that it is there, and looks after the others and its own parts. */
const TICK_MS = 1_000;

/**
 * Works under one name in the queue, which is what it locks jobs by, until the worker is to stop or the queue is lost.
 * `left`: the batches whose parts it leaves to others.
 */
export async function live(
  works: Works,
  presence: Presence,
  left: Set<string>,
): Promise<{ readonly name: string; readonly lost?: Error }> {
  const { queue, jobs, pipelines, signal } = works;
  const { database, target } = queue;
  const { run, runOnce } = await queuePackage();
  const pool = await queuePool(database, jobs + 2);
  const underWay = new Map<string, { readonly part: QueuedPart; readonly stop: AbortController }>();
  const events = new EventEmitter();
  let name = '';
  events.on('pool:create', ({ workerPool }: { workerPool: { id: string } }) => {
    name = workerPool.id;
  });
  const lost = new AbortController();
  for (const event of ['worker:getJob:error', 'pool:fatalError'])
    events.on(event, ({ error }: { error: Error }) => lost.abort(error));

  const tick = async () => {
    await presence.say(name);
    await buryDead(queue);
    await sweepQueue(queue);
    for (const { part, stop } of underWay.values()) if (!(await isWanted(queue, part))) stop.abort();
  };
  const task = async (payload: unknown) => {
    const part = queuedPart(payload);
    const given = await take(queue, part, { host: hostname(), pool: name });
    if (given === undefined) return;
    const stop = new AbortController();
    const key = `${part.batch}/${part.flow}/${part.start}`;
    underWay.set(key, { part, stop });
    try {
      const rows = await works.load(part, given, stop.signal);
      await partEnded(queue, part, name, 'done', { rows });
    } catch (error) {
      const what = stop.signal.aborted ? 'done' : works.judge(error);
      const said = error instanceof Error ? error.message : String(error);
      if (what !== 'done') works.say(`batch ${part.batch}, part at ${part.start}: ${what}: ${said}`);
      if (what === 'left') left.add(batchFlag(target, part.batch));
      await partEnded(queue, part, name, what === 'again' ? 'waiting' : what, {
        error: errorAsData(error),
      });
      if (what === 'left' || what === 'again') throw error;
    } finally {
      underWay.delete(key);
    }
  };
  const options = {
    pgPool: pool,
    schema: QUEUE_SCHEMA,
    logger: await quiet(),
    events,
    noHandleSignals: true,
    forbiddenFlags: () => [...left],
    taskList: Object.fromEntries(pipelines.map((pipeline) => [jobName(target, pipeline), task])),
    // Together with others, though there are none: what cannot be noted of a job alone is an unhandled rejection.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  };
  let over = false;
  const ticks = async () => {
    for (; !over; await sleep(TICK_MS, undefined, { ref: false }))
      if (name !== '')
        await tick().catch(async (error: unknown) => {
          if (isOutOfReach(error)) await database.recover();
        });
  };
  const ended = AbortSignal.any([signal, lost.signal]);
  try {
    void ticks();
    if (works.once) await runOnce(options);
    else {
      const runner = await run({
        ...options,
        concurrency: jobs,
        pollInterval: TICK_MS,
        gracefulShutdownAbortTimeout: 600_000,
      });
      const stop = () => void runner.stop().catch(() => {});
      ended.addEventListener('abort', stop, { once: true });
      if (ended.aborted) stop();
      await presence.say(name).then(
        () => works.say(`waits for parts of ${pipelines.join(', ')}`),
        (error: unknown) => lost.abort(error),
      );
      await runner.promise;
    }
  } catch (error) {
    if (works.once || !isOutOfReach(error)) throw error;
    lost.abort(error);
  } finally {
    over = true;
    await pool.end().catch(() => {});
  }
  if (signal.aborted || works.once) return { name };
  return { name, lost: lost.signal.reason ?? new Error('its runner has ended') };
}
