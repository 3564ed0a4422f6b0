import { type ErrorFacts, type ErrorKind, SluiceError } from './sluice-error.js';

/** An error as `--json` prints it: its kind decides the status and the exit code. */
export interface ErrorAnswer extends Omit<ErrorFacts, 'cause'> {
  readonly code: string;
  readonly message: string;
}

/** Whatever was thrown, as `--json` prints it. */
export function errorAnswer(error: unknown): { readonly kind: ErrorKind; readonly answer: ErrorAnswer } {
  if (!(error instanceof SluiceError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', answer: { code: 'unexpected', message } };
  }
  const { cause: _, next, ...facts } = error.facts;
  const steps = next === undefined ? {} : { next: [next].flat() };
  return { kind: error.kind, answer: { code: error.code, message: error.message, ...facts, ...steps } };
}
