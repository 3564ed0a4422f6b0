import { setTimeout as sleep } from 'node:timers/promises';
import { embeddedErrors } from '../../core/errors/catalogue/embedded.js';
import { isConnectionLoss } from '../server-error.js';
import { ensureDatabase } from './database.js';
import type { Place } from './place.js';
import { lastLines, type Postmaster, runningPostmaster } from './postmaster.js';

/** How long a server whose process lives may leave us without an answer. */
const SILENT_MS = 30_000;

/**
 * The server that runs on `place`, asked and seen to answer; undefined where none does, or none yet
 * (`start` waits for one that is coming up). The pid file and the process list are behind the times: a
 * killed server's process is there for a moment yet, and the file stays. So a server that hangs up is
 * looked at again until its process is gone or it answers after all.
 *
 * Throws `embedded_silent` when it does neither, and what {@link ensureDatabase} throws.
 */
export async function answeringPostmaster(place: Place): Promise<Postmaster | undefined> {
  const deadline = Date.now() + SILENT_MS;
  for (;;) {
    const running = runningPostmaster(place.data);
    if (!running?.ready) return undefined;
    try {
      await ensureDatabase(place, running.port);
      return running;
    } catch (error) {
      if (!hungUp((error as Error).cause)) throw error;
      if (Date.now() > deadline) throw silent(place, running, error);
    }
    await sleep(20);
  }
}

function hungUp(cause: unknown): boolean {
  return isConnectionLoss(cause) || (cause instanceof Error && /timeout expired/.test(cause.message));
}

function silent(place: Place, { pid, port }: Postmaster, cause: unknown) {
  return embeddedErrors.embedded_silent(
    { pid, port },
    { details: [...lastLines(place.log), `log: ${place.log}`], cause },
  );
}
