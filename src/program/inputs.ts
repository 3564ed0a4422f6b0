import { inputErrors } from '../core/errors/catalogue/inputs.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Source } from '../core/types.js';
import type { PgDatabase } from '../db/connect.js';
import { findBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { STDIN } from '../sources/bytes/open.js';
import { fileSource } from '../sources/file.js';
import { filesIn, filesOfSource, holdsSeveral, isFolder, sourceFor } from './files.js';
import type { GivenFile, InputGiven, InputsGiven } from './inputs-given.js';

/**
 * The sources that are given, in place of the pipeline's own; a file is read as its name or its first bytes say. Throws
 * usage `stdin_twice`, and what `sourceFor` throws.
 * @internal
 */
export async function sourcesOf(pipeline: Pipeline, given: InputsGiven): Promise<Record<string, Source>> {
  const stdin = Object.entries(given).flatMap(([name, input]) =>
    !isSource(input) && isStdin(input) ? [name] : [],
  );
  if (stdin.length > 1) throw inputErrors.stdin_twice({ names: stdin });
  const sources = Object.entries(given).map(async ([name, input]): Promise<[string, Source]> => {
    if (isSource(input)) return [name, input];
    return [name, await sourceFor(pipeline, name, typeof input === 'string' ? { path: input } : input)];
  });
  return Object.fromEntries(await Promise.all(sources));
}

const isSource = (input: InputGiven): input is Source => typeof input === 'object' && 'read' in input;

/**
 * Whether it is what is piped into the process.
 * @internal
 */
export function isStdin(input: InputGiven): boolean {
  if (isSource(input)) return input.kind === 'stdin';
  return (typeof input === 'string' ? input : input.path) === STDIN;
}

/**
 * The files that `batch` was given, by the inputs that they were given to: to resume it, or to ask again. Throws usage
 * `no_ledger` and `no_such_batch`, and what `filesOfSource` throws.
 * @internal
 */
export async function filesOfBatch(
  database: PgDatabase,
  pipeline: Pipeline,
  batch: string,
): Promise<Record<string, GivenFile>> {
  await requireLedger(database);
  const { inputs = {} } = (await findBatch(database, batch)).manifest ?? {};
  const given = Object.entries(inputs).flatMap(([name, { given, path, encoding }]) =>
    given && path !== undefined ? [{ name, path, encoding }] : [],
  );
  const [first, ...others] = [...new Set(given.map(({ path }) => path))];
  // One file for several inputs was given by --source.
  const several = first !== undefined && others.length === 0 && given.length > 1;
  const found =
    several && (await holdsSeveral(first))
      ? await filesOfSource(pipeline, first, [])
      : Object.fromEntries(given.map(({ name, path }): [string, GivenFile] => [name, { path }]));
  for (const { name, encoding } of given) {
    const file = found[name];
    if (file !== undefined && encoding !== undefined) found[name] = { ...file, encoding };
  }
  return found;
}

/**
 * Files of corrected rejects whose rows say which input they belong to: a file, or all of a folder.
 * @internal
 */
export function correctedFiles(path: string, options: { readonly encoding?: string }): Source[] {
  return (isFolder(path) ? filesIn(path) : [path]).map((each) => fileSource(each, options));
}
