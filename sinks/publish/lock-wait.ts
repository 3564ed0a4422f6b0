import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { HURRIED, HURRIED_OWN, hurried } from '../../src/db/hurry.js';
import { OUR_PATH } from '../../src/db/pinned.js';
import { sqlstateOf } from '../../src/db/server-error.js';

/** Lock not available, cancelled by a timeout, chosen as deadlock victim, serialization failure. */
const TRANSIENT = new Set(['55P03', '57014', '40P01', '40001']);

/** Whether the same statement may succeed a moment later: somebody else held a lock. */
export const isLockFailure = (error: unknown): boolean => TRANSIENT.has(sqlstateOf(error) ?? '');

/** A wait before attempt `next` (2, 3, …): doubling from `base` to `most` ms, half of it at random. */
export function backoff(next: number, base = 200, most = 5000): number {
  const full = Math.min(most, base * 2 ** (next - 2));
  return Math.round(full / 2 + (Math.random() * full) / 2);
}

/**
 * Runs `statements` in one transaction that waits at most `lockTimeoutMs` for each lock, again and again
 * until the locks are free or `attempts` are used up; then throws the last error. `client` must be idle. Where its run is
 * asked to stop, it gives up at once; begun after that, soon. `own`: the tables are the batch's, and nobody else wants them.
 */
export async function patiently(
  client: Client,
  statements: readonly string[],
  given: { attempts?: number; lockTimeoutMs?: number; own?: boolean } = {},
): Promise<void> {
  const stopped = hurried(client);
  const late = stopped.aborted;
  const soon = given.own === true ? HURRIED_OWN : HURRIED;
  const { attempts = 30, lockTimeoutMs = 150 } = late ? soon : given;
  const settings = [
    'BEGIN',
    `SET LOCAL search_path = ${OUR_PATH}`,
    `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
  ];
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query([...settings, ...statements, 'COMMIT'].join(';\n'));
      return;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      if (attempt >= attempts || !isLockFailure(error) || (!late && stopped.aborted)) throw error;
      await sleep(backoff(attempt + 1), undefined, late ? {} : { signal: stopped }).catch(() => {
        throw error;
      });
    }
  }
}
