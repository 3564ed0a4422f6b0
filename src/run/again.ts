import { SluiceError } from '../core/errors.js';
import type { Batch } from '../db/ledger/batches.js';

/**
 * `from` is how a batch's rows can be loaded again: a pipeline's name, its absolute path, or, where there
 * was no pipeline, the whole command behind `sluice` (`copy orders.csv --into orders`).
 */
export function isCommand(from: string): boolean {
  return from.startsWith('copy ');
}

/** The command that runs (or only loads) it again, for "next" in messages. */
export function again(from: string, verb: 'run' | 'load' = 'run'): string {
  if (!isCommand(from)) return `sluice ${verb} ${from}`;
  return `sluice ${from}${verb === 'load' ? ' --no-swap' : ''}`;
}

/** Whether `error` says how to go on with the batch: what it has made so far has to stay. */
export function offersResume(error: unknown): boolean {
  const next = error instanceof SluiceError ? [error.facts.next ?? []].flat() : [];
  return next.some((step) => /^sluice (.* --resume|swap) \d+( |$)/.test(step));
}

/** The command that goes on with a batch that broke off. */
export function resumeCommand(batch: Pick<Batch, 'id' | 'pipeline_from' | 'run_record'>): string {
  return `${again(batch.pipeline_from, batch.run_record?.publish === false ? 'load' : 'run')} --resume ${batch.id}`;
}
