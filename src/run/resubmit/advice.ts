import { command, type NextStep } from '../../core/next.js';
import type { ResubmitFacts } from '../../db/ledger/run-manifest.js';
import { type RejectPlace, type ResubmittedBatch, resubmitStep, resubmitWay } from './way.js';

/** How rejects of a batch are corrected and given back, or that they cannot be, and what else can be done. */
export interface ResubmitAdvice {
  /** Why not; undefined where they can be resubmitted. */
  readonly not: string | undefined;
  /** In the order in which they are done. */
  readonly next: readonly NextStep[];
}

/** The sentence in front of what else can be done. */
export const notResubmitted = (why: string): string => `they cannot be resubmitted alone: ${why}`;

/**
 * The advice for rejects of a batch, which are in files in `folder` already where one is given; undefined where there is
 * none, or the batch is of a version that did not note what decides it.
 */
export function resubmitAdvice(
  batch: ResubmittedBatch,
  rejects: readonly RejectPlace[],
  folder?: string,
): ResubmitAdvice | undefined {
  const facts = batch.manifest?.resubmit;
  if (facts === undefined || rejects.length === 0) return undefined;
  const way = resubmitWay(batch, facts, rejects);
  // Of a batch that was itself given corrected rows, and has published none of them.
  if (way.way === 'none' && way.code === 'rejects_of_rejects' && batch.status !== 'completed')
    return { not: undefined, next: way.next };
  if (way.way === 'none') return { not: way.why, next: way.next };
  const next = folder === undefined ? stepsOf(batch, facts, rejects) : [resubmitStep(batch, facts, folder)];
  return { not: undefined, next };
}

function stepsOf(batch: ResubmittedBatch, facts: ResubmitFacts, rejects: readonly RejectPlace[]): NextStep[] {
  const inputs = new Set(rejects.map(({ input }) => input));
  // A spreadsheet knows no nested values, so what came as JSON goes as JSON.
  const isJson = Object.values(batch.manifest?.inputs ?? {}).some(
    ({ label, format }) => label !== undefined && inputs.has(label) && format === 'json',
  );
  const format = isJson ? 'jsonl' : 'csv';
  const note = 'then correct the rows in it';
  if (inputs.size > 1)
    return [
      command('rejects', [batch.id], { into: 'fixed', ...(isJson ? { format } : {}) }, { note }),
      resubmitStep(batch, facts, 'fixed'),
    ];
  return [
    command('rejects', [batch.id], { format }, { to: `fixed.${format}`, note }),
    resubmitStep(batch, facts, `fixed.${format}`),
  ];
}
