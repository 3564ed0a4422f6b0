import { type NamedFinding, refusal } from './check.js';
import type { Job } from './job.js';
import type { Staged } from './staging.js';

/** Asks the pipeline's validations of staging; all are asked, then errors refuse together. */
export async function validate(job: Job, places: Staged['places']): Promise<void> {
  const context = job.validationContext(places);
  const errors: NamedFinding[] = [];
  for (const validation of job.pipeline.validations ?? []) {
    for (const finding of await validation.ask(context)) {
      if (finding.severity === 'error') errors.push({ name: validation.name, finding });
      else job.options.events?.warn?.(`${validation.name}: ${finding.message}`);
    }
    job.options.log.info(`validation ${validation.name} asked`, { errors: errors.length });
  }
  if (errors.length > 0) throw refusal('validation_refused', 'staging is not valid', errors, {});
}
