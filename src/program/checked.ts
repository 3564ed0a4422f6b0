import type { Finding } from '../core/pipeline.js';
import type { Plan } from '../run/given/plan.js';

/** What a check found, as `sluice check --json` prints it. */
export interface Checked {
  readonly pipeline: string;
  /** No finding is an error: a run would begin. */
  readonly ok: boolean;
  /** The names of all questions that were asked; `rows`, where every row was read. */
  readonly asked: readonly string[];
  readonly findings: readonly (Finding & {
    /** The question that made it. */
    readonly name: string;
  })[];
  /** What the run would do. */
  readonly plan: Plan;
}

/** The same for a program, which is told in words what to do next. */
export interface CheckResult extends Omit<Checked, 'findings'> {
  readonly findings: readonly CheckFinding[];
}

/** One thing that a check found. Errors refuse a run; warnings and notes do not. */
export interface CheckFinding extends Omit<Finding, 'next'> {
  /** The question that made it. */
  readonly name: string;
  /** What can be done about it; empty where there is nothing to say. */
  readonly next: readonly string[];
}
