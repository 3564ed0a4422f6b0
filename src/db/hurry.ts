/** The sessions of runs that were, or may be, asked to stop. */
const sessions = new WeakMap<object, AbortController>();

function controllerOf(client: object): AbortController {
  let controller = sessions.get(client);
  if (controller === undefined) {
    controller = new AbortController();
    sessions.set(client, controller);
  }
  return controller;
}

/** From now on whoever waits for something with this session gives up soon: its run was asked to stop. */
export function hurry(client: object): void {
  controllerOf(client).abort();
}

/** Aborted once the run of this session was asked to stop. */
export function hurried(client: object): AbortSignal {
  return controllerOf(client).signal;
}

/**
 * How long a session of such a run tries to get a lock that tidying up needs: with the pause between some four tenths of
 * a second. What cannot be had then is left to the next command.
 */
export const HURRIED = { attempts: 2, lockTimeoutMs: 150 } as const;

/**
 * The same for tables of the batch's own, for which nobody waits behind it: beyond the server's deadlock_timeout of 1 s,
 * after which an autovacuum that is at work on them is cancelled.
 */
export const HURRIED_OWN = { attempts: 1, lockTimeoutMs: 1_200 } as const;
