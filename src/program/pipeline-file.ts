import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pipelineErrors } from '../core/errors/catalogue/pipelines.js';
import type { Pipeline } from '../core/pipeline.js';

/** A pipeline and how to find it again: its name, or the absolute path it was loaded from. */
export interface Found {
  readonly pipeline: Pipeline;
  readonly from: string;
}

/**
 * The pipeline that the .ts or .js file at `path` exports as its default. Throws usage `no_such_pipeline` where there is no
 * such file, `bad_pipeline` where it cannot be loaded or exports none.
 */
export async function pipelineOfFile(path: string): Promise<Found> {
  const from = resolve(path);
  if (!existsSync(from)) throw pipelineErrors.no_such_pipeline.noFile({ path: from });
  const { loadUserModule } = await import('./user-module.js');
  let loaded: Record<string, unknown>;
  try {
    loaded = await loadUserModule(pathToFileURL(from).href);
  } catch (error) {
    throw pipelineErrors.bad_pipeline.notLoaded(
      { path: from, why: (error as Error).message },
      { cause: error },
    );
  }
  const pipeline = unwrapped(loaded) as Partial<Pipeline> | null | undefined;
  if (typeof pipeline?.flows !== 'function' || typeof pipeline.name !== 'string')
    throw pipelineErrors.bad_pipeline.notExported({ path: from });
  return { pipeline: pipeline as Pipeline, from };
}

/** A CommonJS interop layer may wrap the default export once more. */
function unwrapped(loaded: Record<string, unknown>): unknown {
  const first = loaded.default;
  return typeof first === 'object' && first !== null && 'default' in first ? first.default : first;
}

/** What a program runs: a pipeline, or the URL (`file:`) of the module that has one as its default export. */
export type PipelineGiven = Pipeline | URL;

/** The pipeline, and the path of its file where that is what was given. Throws what `pipelineOfFile` does. */
export async function pipelineGiven(given: PipelineGiven): Promise<Pick<Found, 'pipeline'> & Partial<Found>> {
  return given instanceof URL ? pipelineOfFile(fileURLToPath(given)) : { pipeline: given };
}
