import type { ErrorCode } from './catalogue/index.js';
import { SluiceError } from './sluice-error.js';

/** Whether `error` is one of Sluice's own with one of these codes. */
export function isError(
  error: unknown,
  ...codes: readonly [ErrorCode, ...ErrorCode[]]
): error is SluiceError {
  return error instanceof SluiceError && (codes as readonly string[]).includes(error.code);
}
