import { existsSync, readdirSync } from 'node:fs';
import { commandErrors } from '../core/errors/catalogue/command-line.js';
import type { RunOptions } from '../run/given/options.js';

const hasFiles = (folder: string) => existsSync(folder) && readdirSync(folder).length > 0;

/** What of a run can contradict something else of it. */
type Wanted = Pick<
  { readonly [Name in keyof RunOptions]: RunOptions[Name] | undefined },
  | 'rejectsInto'
  | 'reportsInto'
  | 'dryRun'
  | 'rehearse'
  | 'limit'
  | 'resume'
  | 'keepStaging'
  | 'guard'
  | 'onlyRejectsOf'
>;

/**
 * Throws a usage error for what contradicts itself, and where files would be written over; asked before anything else.
 * `publishes`: whether tables are to be published, of which a part of the rows would be a loss.
 */
export function assertRunnable(wanted: Wanted, publishes = true): void {
  const { rejectsInto, reportsInto, resume, dryRun, rehearse, limit } = wanted;
  if (resume !== undefined && (dryRun === true || rehearse === true || limit !== undefined))
    throw commandErrors.which.resumed();
  if (wanted.keepStaging === true && (wanted.guard === 'lock' || wanted.onlyRejectsOf !== undefined))
    throw commandErrors.which.keepStaging();
  if (rejectsInto !== undefined && hasFiles(rejectsInto))
    throw commandErrors.file_exists.rejects({ folder: rejectsInto });
  if (reportsInto !== undefined && (hasFiles(reportsInto) || reportsInto === rejectsInto))
    throw commandErrors.file_exists.reports({ folder: reportsInto });
  if (dryRun === true && rehearse === true) throw commandErrors.which.dryRunOrRehearsal();
  if (publishes && limit !== undefined && dryRun !== true && rehearse !== true)
    throw commandErrors.limit_publishes();
}
