import { usage } from '../core/errors.js';
import type { Pipeline } from '../core/pipeline.js';
import { again } from '../run/again.js';
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
    throw usage('which', `--execute writes, and ${other} does not`, {
      state: 'nothing was read or written',
      next: 'give one of them',
    });
  }
  const told = flags.dryRun !== undefined || flags.execute === true || flags.swap === false;
  if (pipeline.executeByDefault !== false || told || TELLING.some((name) => flags[name] !== undefined))
    return flags;
  return { ...flags, dryRun: true };
}

/** The command that does what a dry run only tries: for a pipeline that needs it, with --execute. */
export function writingCommand(
  pipeline: Pick<Pipeline, 'executeByDefault'>,
  from: string,
  flags: Pick<RunFlags, 'input' | 'source' | 'set' | 'encoding' | 'maxRejects'>,
): string | undefined {
  if (pipeline.executeByDefault !== false) return undefined;
  const given = [
    ...flags.input.flatMap((input) => ['--input', input]),
    ...(flags.source === undefined ? [] : ['--source', flags.source]),
    ...(flags.encoding ?? []).flatMap((encoding) => ['--encoding', encoding]),
    ...flags.set.flatMap((set) => ['--set', set]),
  ];
  return [again(from), ...given.map(shellWord), '--execute'].join(' ');
}

/** `text` as one word of a command line. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
