import { commandErrors } from '../core/errors/catalogue/command-line.js';
import type { SluiceError } from '../core/errors/sluice-error.js';

/** The signal of a run of a program's own, and how it is let go of. */
export interface Stop {
  readonly signal: AbortSignal;
  /** Stops the run because of `error`. */
  because(error: SluiceError): void;
  /** Leaves nothing on the signal that was given. */
  release(): void;
}

/** A signal that follows `given`, so that what a run hangs on it is gone with the run. */
export function stopOf(given: AbortSignal | undefined): Stop {
  const own = new AbortController();
  const follow = () => own.abort(commandErrors.interrupted.stopped({ cause: given?.reason }));
  if (given?.aborted === true) follow();
  else given?.addEventListener('abort', follow, { once: true });
  return {
    signal: own.signal,
    because: (error) => own.abort(error),
    release: () => given?.removeEventListener('abort', follow),
  };
}
