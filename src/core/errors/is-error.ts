import type { ErrorCode } from './catalogue/index.js';
import { SluiceError } from './sluice-error.js';

/** Whether `error` is one of Sluice's own with one of these codes. */
export function isError<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is SluiceError & { readonly code: Code } {
  return error instanceof SluiceError && (codes as readonly string[]).includes(error.code);
}
