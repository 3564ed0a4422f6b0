import { SluiceError } from '../../core/errors/sluice-error.js';

/** What the server said, where `error` is the window's word for it. */
export function causeOf(error: unknown): unknown {
  return error instanceof SluiceError ? error.facts.cause : error;
}
