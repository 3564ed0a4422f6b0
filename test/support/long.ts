import { test } from 'node:test';

/**
 * A test that `npm test` leaves to `npm run test:all`: a further case of a behaviour whose main case is tested anyway. Whole
 * files of what takes long are called `….long.test.ts`.
 */
export const long: typeof test.skip = process.env.SLUICE_TEST_LONG === 'no' ? test.skip : test;
