import { inputErrors } from '../../core/errors/catalogue/inputs.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Source } from '../../core/types.js';
import type { PgDatabase } from '../../db/connect.js';
import { filesOfSource } from '../../program/files.js';
import { correctedFiles, filesOfBatch, sourcesOf } from '../../program/inputs.js';
import type { GivenFile } from '../../program/inputs-given.js';
import { type PipelineFlags, pairs } from './flags.js';

/**
 * The sources given by --input and --source, in place of the pipeline's own: each must have the columns
 * that the pipeline relies on. What --source may be, `filesOfSource` says. Throws usage errors for names that
 * are not inputs, stdin given twice, and a file that an input cannot read.
 */
export async function givenInputs(
  pipeline: Pipeline,
  flags: Pick<PipelineFlags, 'input' | 'source' | 'encoding'>,
): Promise<Record<string, Source>> {
  return sourcesOf(pipeline, await givenFiles(pipeline, flags));
}

/** The same as files, by input. Throws usage errors for names that are not inputs. */
export async function givenFiles(
  pipeline: Pipeline,
  flags: Pick<PipelineFlags, 'input' | 'source' | 'encoding'>,
): Promise<Record<string, GivenFile>> {
  const given: Record<string, GivenFile> = Object.fromEntries(
    Object.entries(pairs('--input', flags.input)).map(([name, path]) => [name, { path }]),
  );
  if (flags.source !== undefined)
    Object.assign(given, await filesOfSource(pipeline, flags.source, Object.keys(given)));
  const encodings = encodingsOf(flags.encoding ?? [], Object.keys(given));
  for (const [name, encoding] of Object.entries(encodings))
    given[name] = { ...(given[name] as GivenFile), encoding };
  return given;
}

/** Whether a command names what is read; one that resumes a batch need not. */
export const namesInputs = ({ source, input }: Pick<PipelineFlags, 'input' | 'source'>) =>
  source !== undefined || input.length > 0;

/** Files of corrected rejects: those given to an input by its name, and others, whose rows say which they belong to. */
export interface CorrectedInputs {
  readonly inputs: Readonly<Record<string, Source>>;
  readonly corrected: readonly Source[];
}

/**
 * The corrected files given by --input and --source; --source is a file of rejects of any of the inputs, or a folder of
 * such files. What they must hold, the ledger knows better than the pipeline. Throws what `givenInputs` throws.
 */
export async function correctedInputs(
  pipeline: Pipeline,
  { source, encoding = [], input }: Pick<PipelineFlags, 'input' | 'source' | 'encoding'>,
): Promise<CorrectedInputs> {
  const plain = encoding.filter((one) => !one.includes('=')).at(-1);
  const ofAll = plain === undefined ? {} : { encoding: plain };
  const named = input.length === 0 ? encoding.filter((one) => one.includes('=')) : encoding;
  return {
    inputs: await givenInputs(pipeline, { input, encoding: named }),
    corrected: source === undefined ? [] : correctedFiles(source, ofAll),
  };
}

/** The encodings by input: `latin1` is that of all files given, `pets=latin1` of one. */
function encodingsOf(wanted: readonly string[], given: readonly string[]): Record<string, string> {
  const encodings: Record<string, string> = {};
  for (const each of wanted.filter((one) => !one.includes('=')))
    for (const name of given) encodings[name] = each;
  for (const [name, encoding] of Object.entries(
    pairs(
      '--encoding',
      wanted.filter((one) => one.includes('=')),
    ),
  )) {
    if (!given.includes(name)) throw inputErrors.no_such_input.encoding({ name });
    encodings[name] = encoding;
  }
  return encodings;
}

/**
 * The sources of a run that resumes `batch`: the files that it was given then, unless others are named
 * now (the same file may have been moved). Throws what `givenInputs` and `findBatch` throw.
 */
export async function resumedInputs(
  database: PgDatabase,
  pipeline: Pipeline,
  batch: string,
  flags: PipelineFlags,
): Promise<Record<string, Source>> {
  if (namesInputs(flags)) return givenInputs(pipeline, flags);
  const files = await filesOfBatch(database, pipeline, batch);
  return sourcesOf(pipeline, files);
}
