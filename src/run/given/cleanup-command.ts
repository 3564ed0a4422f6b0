import { command, type Suggestion } from '../../core/next.js';

/** Days after which `cleanup` takes what is kept for rollbacks, where it is told no other number. */
export const KEPT_DAYS = 30;

/** The command that lists what broken runs have left, and says how to drop it. */
export function cleanUp(): Suggestion {
  return command('cleanup', [], {}, { note: 'what broken runs have left' });
}

/** The command that lists what is kept for rollbacks, however young. */
export function listKept(): Suggestion {
  return command('cleanup', [], { olderThan: '0d' });
}
