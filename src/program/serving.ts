import { pipelineErrors } from '../core/errors/catalogue/pipelines.js';

let serves = false;

/** This thread loads parts of somebody else's run, and imports the pipeline's file for that. */
export function onlyServes(): void {
  serves = true;
}

/** Throws usage `bad_pipeline` where the file of the pipeline runs something as it is imported: it would run once a thread. */
export function assertRuns(): void {
  if (serves) throw pipelineErrors.bad_pipeline.runs();
}
