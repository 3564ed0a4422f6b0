import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { SluiceError } from '../../core/errors/sluice-error.js';

/** Throws what aborted the run, as a SluiceError. */
export function stopIfAborted({ signal }: { readonly signal: AbortSignal }): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  throw reason instanceof SluiceError ? reason : commandErrors.interrupted.stopped();
}
