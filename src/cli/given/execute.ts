import type { Flags } from '../../core/command.js';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { again, type Suggestion } from '../../core/next.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { RunFlags } from './flags.js';

/** Flags that say by themselves how much is to be written. */
const TELLING = ['rehearse', 'resume'] as const;

/**
 * The flags as the pipeline means them: `run` of one that does not execute by default is a dry run without
 * --execute. What says itself how far to go (--rehearse, --resume, --no-swap, `load`) is done as it says. For any
 * other pipeline --execute changes nothing, so that a script may always say it. Throws a usage error for --execute
 * with --dry-run or --rehearse.
 */
export function asMeant<F extends Pick<RunFlags, 'dryRun' | 'execute' | 'swap' | (typeof TELLING)[number]>>(
  pipeline: Pick<Pipeline, 'executeByDefault'>,
  flags: F,
): F {
  if (flags.execute === true && (flags.dryRun === true || flags.rehearse === true)) {
    const other = flags.dryRun === true ? '--dry-run' : '--rehearse';
    throw commandErrors.which.executes({ other });
  }
  const told = flags.dryRun !== undefined || flags.execute === true || flags.swap === false;
  if (pipeline.executeByDefault !== false || told || TELLING.some((name) => flags[name] !== undefined))
    return flags;
  return { ...flags, dryRun: true };
}

/** The command that does what a dry run or a rehearsal only tries; for a pipeline that needs it, with --execute. */
export function toWrite(pipeline: Pick<Pipeline, 'executeByDefault'>): Suggestion {
  const flags: Flags = pipeline.executeByDefault === false ? { execute: true } : {};
  // --limit is for trying: what it leaves out would be missing. Files of reports are there now, and stay.
  return again({ drop: ['dryRun', 'rehearse', 'limit', 'reportsInto'], flags }, { note: 'write it' });
}
