import { MERGE_INSTEAD, type NextStep } from '../../core/next.js';
import type { Job } from '../job/job.js';
import { isCommand } from './next-command.js';

/** What a row whose key live has already is refused with: by the server, and as a reject. */
const TAKEN = { sqlstate: '23505', reason: 'unique_violation' } as const;

/**
 * For a copy that appends, and of which rows are refused since live has their key: that a merge would update those.
 * Nothing for a pipeline, whose author has chosen.
 */
export function mergeInstead(
  { options, tables }: Job,
  refused: { readonly sqlstate?: string | undefined; readonly reasons?: Readonly<Record<string, number>> },
): NextStep[] {
  const taken = refused.sqlstate === TAKEN.sqlstate || (refused.reasons?.[TAKEN.reason] ?? 0) > 0;
  const appends = tables.length === 1 && tables[0]?.target.mode === 'append';
  if (!taken || !appends || !isCommand(options.from ?? '')) return [];
  return [MERGE_INSTEAD];
}
