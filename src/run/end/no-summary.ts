import { errorAnswer } from '../../core/errors/answer.js';
import type { Summary } from '../given/summary.js';

/** The summary of a command that came to no run, with nothing counted: it says why. */
export function noSummary(pipeline: string | null, error: unknown): Summary {
  const { kind, answer } = errorAnswer(error);
  return {
    ...{
      batch: null,
      pipeline,
      status: kind,
      published_by: null,
      read: 0,
      loaded: {},
      changes: {},
      rejected: 0,
      skipped: 0,
      left: 0,
    },
    ...{ published: {}, seconds: 0, rows_per_second: 0, lock_ms: null, reject_reasons: {}, skip_reasons: {} },
    ...{ figures: {}, timings: {}, stages: [], records: [], frequent_errors: [], reports: [], files: [] },
    error: answer,
  };
}
