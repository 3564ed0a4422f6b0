import assert from 'node:assert/strict';
import { SluiceError } from '../../src/core/errors/sluice-error.js';

/** The error of ours that `work` ends in; any other end fails the test, which then says what it was of. */
export async function thrown(work: Promise<unknown>, what = 'it'): Promise<SluiceError> {
  const error: unknown = await work.then(
    () => assert.fail(`${what} went through`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SluiceError, `${what}: ${error}`);
  return error;
}
