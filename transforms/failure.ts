import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { SluiceError } from '../src/core/errors/sluice-error.js';
import { type AnyRow, originOf } from '../src/core/row.js';
import type { Rejection, Run } from '../src/core/run.js';

/**
 * Thrown by a function given to a stage (map, sort, lookup, …) to say that this row is bad: the stage
 * rejects the row with it and goes on. Any other exception is taken for a bug and ends the batch.
 */
export class RowError extends Error {
  readonly rejection: Rejection;

  /** `reason` is a stable snake_case code; `message` a sentence for people. */
  constructor(reason: string, message: string, facts: Omit<Rejection, 'reason' | 'message'> = {}) {
    super(message);
    this.name = 'RowError';
    this.rejection = { ...facts, reason, message };
  }
}

/**
 * What a stage does with an exception from a user's function: a RowError rejects the row, a SluiceError
 * passes with the row's line added, anything else becomes `stage_failed`, naming the stage and the line.
 */
export function rowFailed(stage: string, row: AnyRow, error: unknown, run: Run): void {
  if (error instanceof RowError) {
    run.reject(row, error.rejection);
    return;
  }
  throw stageFailed(stage, row, error);
}

/** The error that ends the batch because a function given to `stage` threw `error` at `row`. */
export function stageFailed(stage: string, row: AnyRow, error: unknown): SluiceError {
  const line = originOf(row);
  if (error instanceof SluiceError) return line === undefined ? error : error.with({ line });
  const message = error instanceof Error ? error.message : String(error);
  return stageErrors.stage_failed.stage({ stage, why: message }, { line, cause: error });
}
