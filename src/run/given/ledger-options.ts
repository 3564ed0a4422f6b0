import type { Batch } from '../../db/ledger/batches.js';
import type { RunOptions } from './options.js';

/** What a run was asked of its publish, as its batch has it: for a swap later, and for what is suggested. */
export function ledgerOptions(
  options: Pick<RunOptions, 'noTriggers' | 'allowSuppressed' | 'rewriteOids' | 'runOwnersCode'>,
): Batch['options'] {
  return {
    ...(options.noTriggers === true ? { no_triggers: true } : {}),
    ...(options.allowSuppressed === true ? { allow_suppressed: true } : {}),
    ...(options.rewriteOids === true ? { rewrite_oids: true } : {}),
    ...(options.runOwnersCode === true ? { run_owners_code: true } : {}),
  };
}
