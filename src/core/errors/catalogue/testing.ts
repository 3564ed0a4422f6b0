import { failure, misuse, topic } from './entry.js';
import { Unsaid } from './state.js';

const OF_A_TEST = new Unsaid('a test of it: nothing but the test’s own database was touched');

/** Errors of `sluice/testing`: what is tested does not do what stages and pipelines promise. */
export const testingErrors = topic({
  depends_on_chunks: failure(
    ({
      stage,
      size,
      other,
      differing,
    }: {
      stage: string;
      size: number;
      other: number;
      differing: readonly string[];
    }) => ({
      says: `stage "${stage}" gives other ${differing.join(', ')} for chunks of ${size} rows than for chunks of ${other}`,
      state: OF_A_TEST,
      next: 'keep its state outside of the loop over chunks: where a chunk ends means nothing',
    }),
  ),
  scratch_left: failure(({ files }: { files: readonly string[] }) => ({
    says: `scratch files are left: ${files.join(', ')}`,
    state: OF_A_TEST,
    next: 'remove them in a finally: a stage may be ended at any yield',
  })),
  no_database: misuse(() => ({
    says: 'the stage asks the database, and the test has given none',
    next: 'testStage(stage, rows, { database: url })',
  })),
  did_not_fail: failure(({ code, status }: { code: string; status: string }) => ({
    says: `the run was to end in ${code}, and it is ${status}`,
    state: OF_A_TEST,
    next: 'leave `fails` away where the run is right to go through',
  })),
  fault_not_met: failure(({ fault }: { fault: string }) => ({
    says: `the fault ${fault} has not happened`,
    state: OF_A_TEST,
    next: 'give the input more rows than the fault waits for',
  })),
});
