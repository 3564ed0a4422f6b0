import { compiledFile } from '../core/package.js';
import type { MakingAgain } from '../run/given/options.js';
import type { Around, MadeAgain } from '../run/load/threads/serve.js';
import { filesOfBatch, sourcesOf } from './inputs.js';
import type { GivenFile, InputsGiven } from './inputs-given.js';
import type { Found } from './pipeline-file.js';

/** How a pipeline and what it reads are made again by another thread: plain data. */
export interface PipelineAgain {
  /** Its file, or, on the command line, its name. */
  readonly from: string;
  /** By input, where that is not the pipeline's own; left out of a run that resumes a batch: the files that it was given. */
  readonly files?: Readonly<Record<string, string | GivenFile>> | undefined;
  /** The batch that is resumed. */
  readonly resume?: string | undefined;
}

/** What `runPipeline` is told of a pipeline in a file; undefined where an input is a source that only this thread has. */
export function makingAgain(
  from: string,
  given: InputsGiven | undefined,
  resume?: string,
): MakingAgain | undefined {
  const files: Record<string, string | GivenFile> = {};
  for (const [name, input] of Object.entries(given ?? {})) {
    if (typeof input === 'object' && 'read' in input) return undefined;
    files[name] = input;
  }
  const recipe: PipelineAgain = { from, files: given === undefined ? undefined : files, resume };
  return { thread: compiledFile('src', 'program', 'thread.js'), recipe };
}

/** Makes them; `find` finds the pipeline. Throws what finding it and its inputs throws. */
export async function madeAgain(
  { from: wanted, files, resume }: PipelineAgain,
  { database }: Pick<Around, 'database'>,
  find: (from: string) => Promise<Found>,
): Promise<MadeAgain> {
  const { pipeline, from } = await find(wanted);
  const given = files ?? (resume === undefined ? {} : await filesOfBatch(database, pipeline, resume));
  return { pipeline, from, inputs: await sourcesOf(pipeline, given), release: async () => {} };
}
