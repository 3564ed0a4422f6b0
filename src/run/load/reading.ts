import { StageCounter } from '../../core/accounting.js';
import { accountName } from '../../core/flow.js';
import { changedRun, type Run } from '../../core/run.js';
import type { Job } from '../job/job.js';
import type { InParts } from './in-parts.js';

/** The Run of whoever cuts the input. */
export interface Reading {
  readonly run: Run;
  /**
   * From now on the flow is as far as somebody says who has loaded so many bytes of a text, wherever it is cut by then. Gives
   * what tells it.
   */
  countedBy(loaded: () => number): () => void;
}

/** How far the flow is is how many rows its lanes have read. */
export function readingRun(job: Job, { flow, plan }: InParts, signal: AbortSignal): Reading {
  const counter = new StageCounter(accountName.source(plan.source), '', 'source');
  const run = job.runAt({ counter, input: plan.source.name, signal, flow: -1 });
  let last: Parameters<Run['progress']>[0] = {};
  let loaded: (() => number) | undefined;
  const progress: Run['progress'] = (position) => {
    const { bytes = last.bytes } = position;
    const at = bytes === undefined ? {} : { bytes: loaded?.() ?? bytes };
    last = { ...last, ...position, ...at, rows: job.progress.rowsOf(flow) };
    run.progress(last);
  };
  return {
    run: changedRun(run, { progress }),
    countedBy(by) {
      loaded = by;
      return () => progress({});
    },
  };
}
