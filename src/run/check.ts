import type { Pipeline } from '../core/pipeline.js';
import { type Checked, checkJob } from './check/check.js';
import { rowFindings } from './check/foresee.js';
import { stateOf } from './end/fail.js';
import { asFailure } from './end/failure.js';
import { stopStatements } from './end/stopping.js';
import type { RunOptions } from './given/options.js';
import { publishes } from './given/publishes.js';
import { Job } from './job/job.js';
import { inputsAsRead } from './load/how-read.js';
import { planPublish } from './publish/plan.js';

/** Asks all checks and plans the publish, as far as they allow it; writes nothing. */
export async function planPipeline(pipeline: Pipeline, options: RunOptions): Promise<Checked> {
  return asking(pipeline, options, async (job) => {
    const checked = await checkJob(job);
    const publish = publishes(job.pipeline) ? await planPublish(job, checked.changes) : undefined;
    const plan = { ...checked.plan, inputs: await inputsAsRead(job, checked) };
    return { ...checked, plan: publish === undefined ? plan : { ...plan, publish } };
  });
}

/**
 * Asks all checks of a pipeline and writes nothing. `rows`: once they pass, every row is read, transformed and checked as
 * well, and what a run would reject is among the findings.
 */
export async function checkPipeline(
  pipeline: Pipeline,
  options: RunOptions,
  { rows = false }: { readonly rows?: boolean } = {},
): Promise<Checked> {
  return asking(pipeline, options, async (job) => {
    const checked = await checkJob(job);
    if (!rows || checked.findings.some(({ finding }) => finding.severity === 'error')) return checked;
    try {
      const found = (await rowFindings(job, checked)).map((finding) => ({ name: 'rows', finding }));
      return { ...checked, findings: [...checked.findings, ...found], asked: [...checked.asked, 'rows'] };
    } finally {
      await options.database.endSnapshot();
    }
  });
}

/** Has a job asked what writes nothing; stops when it is asked to. */
async function asking<T>(
  pipeline: Pipeline,
  options: RunOptions,
  work: (job: Job) => Promise<T>,
): Promise<T> {
  const job = await Job.prepare(pipeline, options);
  job.state.stopped = stopStatements(options.database, job.signal);
  try {
    return await work(job);
  } catch (error) {
    throw job.signal.aborted ? stateOf(asFailure(error, job.signal), 'nothing was written') : error;
  } finally {
    await job.state.stopped();
    await job.clear();
  }
}
