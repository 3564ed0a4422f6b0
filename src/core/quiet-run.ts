import { changedRun, type Run } from './run.js';

const nothing = () => {};

const COUNTS_NOTHING = {
  reject: nothing,
  skip: nothing,
  merge: nothing,
  add: nothing,
  keep: nothing,
  leave: nothing,
  report: nothing,
  reportRows: nothing,
  wrote: nothing,
  progress: nothing,
} satisfies Partial<Run>;

/** `run`, but nothing is counted or told: for looking at an input that is read in earnest later. */
export function silenced(run: Run): Run {
  return changedRun(run, COUNTS_NOTHING);
}

/** What a run outside any batch needs to read inputs. */
export type Surroundings = Pick<Run, 'signal' | 'log' | 'database' | 'scratch' | 'share'> &
  Partial<Pick<Run, 'settings'>>;

/** A run outside any batch, which writes and counts nothing. */
export function quietRun(around: Surroundings): Run {
  return {
    batch: undefined,
    dryRun: true,
    startedAt: new Date(),
    settings: {},
    ...around,
    ...COUNTS_NOTHING,
  };
}
