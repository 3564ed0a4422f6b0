import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../db/backoff.js';
import { isOutOfReach } from '../db/connection-error.js';
import { letGo } from './dead.js';
import { live } from './life.js';
import { Presence } from './presence.js';
import { jobName, openQueue } from './queue.js';
import type { Works } from './works.js';

/** How long to wait before the server is asked again that does not answer. */
const AGAIN_MS = 500;
const AGAIN_MOST_MS = 5_000;
/** A worker that has worked for so long has found what it needs. */
const CALM_MS = 30_000;

/**
 * Takes parts out of the queue and loads them, until it is stopped. Where the queue is lost (the server is restarted, the
 * host was cut off) it begins anew under another name, as soon as there is one again: what the old name has locked is
 * done by somebody else, for nobody knows whether the server's last answer was a job. Throws what `openQueue` does.
 */
export async function workQueue(works: Works): Promise<void> {
  const { queue, lock, pipelines } = works;
  await openQueue(queue);
  const presence = new Presence(queue.database, {
    host: hostname(),
    lock,
    takes: pipelines.map((pipeline) => jobName(queue.target, pipeline)),
  });
  /** Batches whose parts it leaves to others. */
  const left = new Set<string>();
  const old: string[] = [];
  try {
    for (let attempt = 1; ; attempt++) {
      const begun = performance.now();
      const { name, lost } = await live(works, presence, left);
      old.push(name);
      if (lost === undefined) break;
      if (performance.now() - begun > CALM_MS) attempt = 1;
      works.say(`has lost the queue, and begins anew: ${lost.message}`);
      if (!(await openAgain(works, old, attempt))) break;
      old.length = 0;
    }
  } finally {
    if (old.length > 0) await letGo(queue, old).catch(() => {});
    await presence.end();
  }
}

/** Waits for the queue, and lets go of what the worker had there; false where it is to stop before that. */
async function openAgain({ queue, signal }: Works, old: readonly string[], before: number): Promise<boolean> {
  for (let attempt = before; !signal.aborted; attempt++) {
    await sleep(backoff(attempt + 1, AGAIN_MS, AGAIN_MOST_MS), undefined, { signal }).catch(() => {});
    try {
      await queue.database.recover();
      await openQueue(queue);
      await letGo(queue, old);
      return true;
    } catch (error) {
      if (!isOutOfReach(error)) throw error;
    }
  }
  return false;
}
