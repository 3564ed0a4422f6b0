import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../backoff.js';
import { sqlstateOf } from '../server-error.js';

/** Lock not available, cancelled by a timeout, chosen as deadlock victim, serialization failure. */
const TRANSIENT = new Set(['55P03', '57014', '40P01', '40001']);

/** Whether the same statement may succeed a moment later: somebody else held a lock. */
export const isLockFailure = (error: unknown): boolean => TRANSIENT.has(sqlstateOf(error) ?? '');

/** The pauses between attempts, in ms. */
const SHORTEST_MS = 200;
const LONGEST_MS = 5_000;

/**
 * Does `once` again and again, with pauses that grow and vary, until it succeeds. `gaveWay` is told of each attempt that
 * did not (from 1 on) and how many ms will pass until the next one; it throws where there is to be none. A pause ends
 * early when `signal` is aborted: `once` says what that means.
 */
export async function inAttempts<T>(
  once: (attempt: number) => Promise<T>,
  gaveWay: (error: unknown, attempt: number, waitMs: number) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(attempt);
    } catch (error) {
      const waitMs = backoff(attempt + 1, SHORTEST_MS, LONGEST_MS);
      await gaveWay(error, attempt, waitMs);
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }
}
