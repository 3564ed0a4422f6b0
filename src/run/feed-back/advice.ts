import { command, type NextStep } from '../../core/next.js';
import type { FeedBackFacts } from '../../db/ledger/run-record.js';
import { type FedBackBatch, feedBackStep, feedBackWay, type RejectPlace } from './way.js';

/** How rejects of a batch are corrected and given back, or that they cannot be, and what else can be done. */
export interface FeedBackAdvice {
  /** Why not; undefined where they can be fed back. */
  readonly not: string | undefined;
  /** In the order in which they are done. */
  readonly next: readonly NextStep[];
}

/** The sentence in front of what else can be done. */
export const notFedBack = (why: string): string => `they cannot be fed back alone: ${why}`;

/**
 * The advice for rejects of a batch, which are in files in `folder` already where one is given; undefined where there is
 * none, or the batch is of a version that did not note what decides it.
 */
export function feedBackAdvice(
  batch: FedBackBatch,
  rejects: readonly RejectPlace[],
  folder?: string,
): FeedBackAdvice | undefined {
  const facts = batch.run_record?.feedBack;
  if (facts === undefined || rejects.length === 0) return undefined;
  const way = feedBackWay(batch, facts, rejects);
  // Of a batch that was itself given corrected rows, and has published none of them.
  if (way.way === 'none' && way.code === 'rejects_of_rejects' && batch.status !== 'completed')
    return { not: undefined, next: way.next };
  if (way.way === 'none') return { not: way.why, next: way.next };
  const next = folder === undefined ? stepsOf(batch, facts, rejects) : [feedBackStep(batch, facts, folder)];
  return { not: undefined, next };
}

function stepsOf(batch: FedBackBatch, facts: FeedBackFacts, rejects: readonly RejectPlace[]): NextStep[] {
  const inputs = new Set(rejects.map(({ input }) => input));
  // A spreadsheet knows no nested values, so what came as JSON goes as JSON.
  const isJson = Object.values(batch.run_record?.inputs ?? {}).some(
    ({ label, format }) => label !== undefined && inputs.has(label) && format === 'json',
  );
  const format = isJson ? 'jsonl' : 'csv';
  const note = 'then correct the rows in it';
  if (inputs.size > 1)
    return [
      command('rejects', [batch.id], { into: 'fixed', ...(isJson ? { format } : {}) }, { note }),
      feedBackStep(batch, facts, 'fixed'),
    ];
  return [
    command('rejects', [batch.id], { format }, { to: `fixed.${format}`, note }),
    feedBackStep(batch, facts, `fixed.${format}`),
  ];
}
