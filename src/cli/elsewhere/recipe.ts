import type { CopyRequest } from '../../copy/request.js';
import { compiledFile } from '../../core/package.js';
import type { PipelineAgain } from '../../program/again.js';
import type { MakingAgain } from '../../run/given/options.js';
import type { Around, MadeAgain } from '../../run/load/threads/serve.js';

/** How a pipeline and its inputs are made again by another thread: what was typed, as plain data. */
export type Recipe =
  | ({ readonly kind: 'pipeline' } & PipelineAgain)
  | { readonly kind: 'copy'; readonly request: CopyRequest };

/** What `runPipeline` is told of it. */
export function makingAgain(recipe: Recipe): MakingAgain {
  return { thread: compiledFile('src', 'cli', 'elsewhere', 'thread.js'), recipe };
}

/** Makes the pipeline and its inputs. Throws what finding it and its inputs throws. */
export async function madeAgain(recipe: Recipe, around: Around): Promise<MadeAgain> {
  if (recipe.kind === 'copy') {
    const { prepareCopy } = await import('../../copy/prepare.js');
    const { pipeline, from, release } = await prepareCopy(recipe.request, around);
    return { pipeline, from, inputs: {}, release };
  }
  const { findPipeline } = await import('../given/pipelines.js');
  const { madeAgain: pipelineAgain } = await import('../../program/again.js');
  return pipelineAgain(recipe, around, findPipeline);
}
