import { usage } from '../core/errors.js';
import type { Pipeline } from '../core/pipeline.js';
import type { Source } from '../core/types.js';
import type { PgDatabase } from '../db/connect.js';
import { findBatch } from '../db/ledger/batches.js';
import { requireLedger } from '../db/ledger/open.js';
import { fileSource, formatFor } from '../sources/file.js';
import { json } from '../sources/json.js';
import { STDIN } from '../sources/raw.js';
import { type PipelineFlags, pairs } from './flags.js';

/**
 * The sources given by --input and --source, in place of the pipeline's own: each must have the columns
 * that the pipeline relies on. A JSON document given by --source holds every input of a pipeline that has
 * several: each is the array of its name. Throws usage errors for names that are not inputs, and stdin given
 * twice.
 */
export function givenInputs(pipeline: Pipeline, flags: PipelineFlags): Record<string, Source> {
  const given = pairs('--input', flags.input);
  const names = Object.keys(pipeline.inputs);
  if (flags.source !== undefined && names.length > 1 && formatFor(flags.source, {}) === 'json')
    return {
      ...documentInputs(pipeline, flags.source),
      ...givenInputs(pipeline, { ...flags, source: undefined }),
    };
  if (flags.source !== undefined) {
    if (names.length !== 1)
      throw usage(
        'which_input',
        `the pipeline "${pipeline.name}" has ${names.length} inputs: --source does not say which`,
        {
          next:
            flags.source === STDIN
              ? 'save it to a file: a JSON document (name.json) that has an array for every input is given by --source'
              : [
                  ...names.map((name) => `--input ${name}=${flags.source}`),
                  'or give one JSON document (name.json) that has an array for every input',
                ],
        },
      );
    given[names[0] as string] = flags.source;
  }
  const stdin = Object.keys(given).filter((name) => given[name] === '-');
  if (stdin.length > 1)
    throw usage('stdin_twice', `stdin cannot be both ${stdin.join(' and ')}`, {
      next: 'give all but one as files',
    });
  const sources: [string, Source][] = Object.entries(given).map(([name, path]) => {
    const declared = pipeline.inputs[name];
    return [name, fileSource(path, declared?.columns === undefined ? {} : { columns: declared.columns })];
  });
  return Object.fromEntries(sources);
}

/** Every input out of one JSON document, which is read once for each. */
function documentInputs(pipeline: Pipeline, path: string): Record<string, Source> {
  const sources = Object.entries(pipeline.inputs).map(([name, { columns }]) => [
    name,
    json(path, { at: [name], ...(columns === undefined ? {} : { columns }) }),
  ]);
  return Object.fromEntries(sources);
}

/**
 * The sources of a run that goes on with `batch`: the files that it was given then, unless others are named
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
  const { inputs = {} } = (await findBatch(database, batch)).run_record ?? {};
  const given = Object.entries(inputs).filter(([, { given, path }]) => given && path !== undefined);
  const paths = new Set(given.map(([, { path }]) => path));
  // One file for all of several inputs was a document that holds them.
  if (paths.size === 1 && given.length > 1 && given.length === Object.keys(pipeline.inputs).length)
    return givenInputs(pipeline, { ...flags, source: [...paths][0] });
  return givenInputs(pipeline, { ...flags, input: given.map(([name, { path }]) => `${name}=${path}`) });
}
