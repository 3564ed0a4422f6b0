import type { LockWait } from '../../../src/db/locks/patiently.js';

/** How the guard waits for writers to end, where it is not as usual. */
export type Waiting = Pick<LockWait, 'attempts' | 'lockTimeoutMs' | 'onWait'>;

/** A guard waits until transactions end that have written to the table: longer at a time, and less often. */
export const GUARD_ATTEMPTS: Waiting = { attempts: 20, lockTimeoutMs: 500 };
