import { command, type Suggestion } from '../core/next.js';

/** Days after which `cleanup` takes what is kept for rollbacks, where it is told no other number. */
export const KEPT_DAYS = 30;

/** The command that drops what broken runs have left; what is kept for rollbacks only after its time. */
export function cleanUp(): Suggestion {
  return command('cleanup', [], { execute: true }, { note: 'drops what broken runs have left' });
}

/** The command that lists what is kept for rollbacks, however young. */
export function listKept(): Suggestion {
  return command('cleanup', [], { olderThan: '0d' });
}
