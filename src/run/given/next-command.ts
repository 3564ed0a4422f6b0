import { type Change, type CommandData, changed, type Flags } from '../../core/command.js';
import { command, type Said, Suggestion } from '../../core/next.js';
import type { Batch } from '../../db/ledger/batches.js';
import { describeLimit } from './reject-limit.js';

/** What tells how a batch was begun. */
export type Begun = Pick<Batch, 'pipeline_from' | 'manifest' | 'settings' | 'options'>;

/**
 * `from` is how a batch's rows can be loaded again: a pipeline's name, its absolute path, or, where there
 * was no pipeline, the whole command behind `sluice` (`copy orders.csv --into orders`).
 */
export function isCommand(from: string): boolean {
  return from.startsWith('copy ');
}

/** Whether `from` is the path of a pipeline's file: code, which runs only where the user names it. */
export function isFile(from: string): boolean {
  return !isCommand(from) && (/\.[cm]?[jt]s$/.test(from) || from.includes('/'));
}

/** The command that publishes a staged batch: it names the pipeline where that is a file. */
export function publishing(
  { id, pipeline_from: from }: { readonly id: string; readonly pipeline_from: string },
  said: Said = {},
): Suggestion {
  return command('swap', [id], isFile(from) ? { pipeline: from } : {}, said);
}

/** What concerned the one attempt alone. */
const OF_THE_ATTEMPT = ['resume', 'dryRun', 'rehearse', 'limit'];

/** What a command that resubmits rejects does not take over: its inputs are the corrected rows alone. */
export const NOT_FED_BACK = ['source', 'input', 'encoding', 'keepStaging'];

/** The command that does again what `batch` was begun for, as the ledger has it; changed by `change`. */
export function rerun(batch: Begun, change: Change = {}, said: Said = {}): Suggestion {
  return suggested(batch, change, said, false);
}

/** The same, where `batch` is only to be loaded; changed by `change`, too. */
export function reload(batch: Begun, said: Said = {}, { drop = [], flags = {} }: Change = {}): Suggestion {
  // A copy has no command of its own that only loads.
  const copy = isCommand(batch.pipeline_from);
  const change: Change = copy
    ? { drop, flags: { ...flags, swap: false } }
    : { name: 'load', drop: [...drop, 'swap', 'execute'], flags };
  return rerun(batch, change, said);
}

/** The command that resumes a batch that broke off. `own`: it is what the command under way works on. */
export function resuming(batch: Begun & Pick<Batch, 'id'>, said: Said = {}, own = false): Suggestion {
  return suggested(batch, { flags: { resume: batch.id } }, said, own);
}

function suggested(batch: Begun, change: Change, said: Said, own: boolean): Suggestion {
  const begun = changed(commandOf(batch, change.flags ?? {}), { drop: OF_THE_ATTEMPT });
  return new Suggestion({ kind: 'rerun', command: changed(begun, change), own, change }, said);
}

/** The command as it was given, or, where a program has run the batch, one that means the same. */
function commandOf(batch: Begun, flags: Flags): CommandData {
  const { command, publish } = batch.manifest ?? {};
  if (command !== undefined) return command;
  const from = batch.pipeline_from;
  // Whoever resumes a batch takes all from the ledger but that consent.
  const known = flags.resume === undefined ? flagsOf(batch) : consentOf(batch);
  if (!isCommand(from)) return { name: publish === false ? 'load' : 'run', args: [from], flags: known };
  // The files of a copy, and how they are read, stand in the command.
  const { input, encoding, set, ...asked } = known;
  return { name: from, args: [], flags: { ...asked, ...(publish === false ? { swap: false } : {}) } };
}

function flagsOf({ manifest, settings, options }: Begun): Flags {
  const {
    inputs = {},
    guard,
    maxRejects,
    maxShrink,
    allowEmpty,
    stopOnError,
    noSourceData,
    records,
  } = manifest ?? {};
  const files = Object.entries(inputs).filter(([, { given, path }]) => given && path !== undefined);
  const encodings = files.flatMap(([name, { encoding }]) =>
    encoding === undefined ? [] : [`${name}=${encoding}`],
  );
  const set = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return {
    ...(files.length === 0 ? {} : { input: files.map(([name, { path }]) => `${name}=${path}`) }),
    ...(encodings.length === 0 ? {} : { encoding: encodings }),
    ...(set.length === 0 ? {} : { set }),
    ...(maxRejects === undefined ? {} : { maxRejects: describeLimit(maxRejects) }),
    ...(guard === undefined || guard === 'journal' ? {} : { guard }),
    ...(allowEmpty === true ? { allowEmpty } : {}),
    ...(maxShrink === undefined ? {} : { maxShrink: `${maxShrink}%` }),
    ...(stopOnError === true ? { stopOnError } : {}),
    ...(noSourceData === true ? { sourceData: false } : {}),
    ...(options.no_triggers === true ? { triggers: false } : {}),
    ...(options.allow_suppressed === true ? { allowSuppressed: true } : {}),
    ...(options.rewrite_oids === true ? { rewriteOids: true } : {}),
    ...(records === undefined || records === 'all' ? {} : { records }),
    ...consentOf({ options }),
  };
}

function consentOf({ options }: Pick<Begun, 'options'>): Flags {
  return options.run_owners_code === true ? { runOwnersCode: true } : {};
}
