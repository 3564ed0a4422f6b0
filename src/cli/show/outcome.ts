import { EXIT } from '../../core/errors/sluice-error.js';
import type { Summary } from '../../run/given/summary.js';

/** The exit code of a run that ended without an error: one that did not do all of its rows never ends as done. */
export function exitOf({ status, rejected, left }: Summary): number {
  const partly = rejected + left > 0 && ['completed', 'unchanged', 'written'].includes(status);
  return partly ? EXIT.publishedWithRejects : EXIT.done;
}
