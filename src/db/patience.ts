/** How often something is tried that others may keep locked, and how long each attempt waits for a lock. */
export interface Attempts {
  readonly attempts: number;
  readonly lockTimeoutMs: number;
}

/** How patient a database's run is, for whoever waits on its behalf: handed down by the callers, and never looked up. */
export interface Patience {
  /** Aborted once the run was asked to stop, with the error that says so: whoever waits gives up. */
  readonly stopped: AbortSignal;
  /** What has begun to wait before that. */
  readonly usual: Attempts;
  /** What begins only then (tidying up): what cannot be had is left to the next command. */
  readonly late: Attempts;
  /** The same for tables of the batch's own. */
  readonly lateOwn: Attempts;
}

/** Below the server's deadlock_timeout of 1 s, so that nobody is ever killed for us, and nobody waits behind us for long. */
const USUAL: Attempts = { attempts: 30, lockTimeoutMs: 150 };

/** With the pause in between some four tenths of a second. */
const LATE: Attempts = { attempts: 2, lockTimeoutMs: 150 };

/** Nobody waits behind these: beyond deadlock_timeout, after which an autovacuum that is at work on them is cancelled. */
const LATE_OWN: Attempts = { attempts: 1, lockTimeoutMs: 1_200 };

/** The patience of a run that is asked to stop by `stopped`. */
export function patienceUntil(stopped: AbortSignal): Patience {
  return { stopped, usual: USUAL, late: LATE, lateOwn: LATE_OWN };
}
