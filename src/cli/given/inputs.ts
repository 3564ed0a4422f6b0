import { inputErrors } from '../../core/errors/catalogue/inputs.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Source } from '../../core/types.js';
import type { PgDatabase } from '../../db/connect.js';
import { findBatch } from '../../db/ledger/batches.js';
import { requireLedger } from '../../db/ledger/open.js';
import { fileSource } from '../../sources/file.js';
import { type PipelineFlags, pairs } from './flags.js';
import { filesIn, filesOfSource, type GivenFile, holdsSeveral, isFolder, sourceFor } from './source.js';

/**
 * The sources given by --input and --source, in place of the pipeline's own: each must have the columns
 * that the pipeline relies on. What --source may be, `filesOfSource` says. Throws usage errors for names that
 * are not inputs, stdin given twice, and a file that an input cannot read.
 */
export async function givenInputs(
  pipeline: Pipeline,
  flags: Pick<PipelineFlags, 'input' | 'source' | 'encoding'>,
): Promise<Record<string, Source>> {
  const given: Record<string, GivenFile> = Object.fromEntries(
    Object.entries(pairs('--input', flags.input)).map(([name, path]) => [name, { path }]),
  );
  if (flags.source !== undefined)
    Object.assign(given, await filesOfSource(pipeline, flags.source, Object.keys(given)));
  const stdin = Object.keys(given).filter((name) => given[name]?.path === '-');
  if (stdin.length > 1) throw inputErrors.stdin_twice({ names: stdin });
  const encodings = encodingsOf(flags.encoding ?? [], Object.keys(given));
  const sources = Object.entries(given).map(async ([name, file]): Promise<[string, Source]> => {
    const encoding = encodings[name];
    return [
      name,
      await sourceFor(pipeline, name, { ...file, ...(encoding === undefined ? {} : { encoding }) }),
    ];
  });
  return Object.fromEntries(await Promise.all(sources));
}

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
  const files = source === undefined ? [] : isFolder(source) ? filesIn(source) : [source];
  const named = input.length === 0 ? encoding.filter((one) => one.includes('=')) : encoding;
  return {
    inputs: await givenInputs(pipeline, { input, encoding: named }),
    corrected: files.map((path) => fileSource(path, ofAll)),
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
  if (flags.source !== undefined || flags.input.length > 0) return givenInputs(pipeline, flags);
  await requireLedger(database);
  const { inputs = {} } = (await findBatch(database, batch)).manifest ?? {};
  const given = Object.entries(inputs).filter(([, { given, path }]) => given && path !== undefined);
  const [first, ...others] = [...new Set(given.map(([, { path }]) => path as string))];
  // One file for several inputs was given by --source.
  if (first !== undefined && others.length === 0 && given.length > 1 && (await holdsSeveral(first)))
    return givenInputs(pipeline, { ...flags, source: first });
  return givenInputs(pipeline, {
    ...flags,
    input: given.map(([name, { path }]) => `${name}=${path}`),
    encoding: given.flatMap(([name, { encoding }]) =>
      encoding === undefined ? [] : [`${name}=${encoding}`],
    ),
  });
}
