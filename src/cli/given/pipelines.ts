import { pipelineErrors } from '../../core/errors/catalogue/pipelines.js';
import { nearest } from '../../core/errors/nearest.js';
import type { Pipeline } from '../../core/pipeline.js';
import type { Batch } from '../../db/ledger/batches.js';
import { type Found, pipelineOfFile } from '../../program/pipeline-file.js';
import { isCommand, isFile } from '../../run/given/next-command.js';

/** The pipelines that come with Sluice, in the order `sluice list` shows them. */
const BUILT_IN: Readonly<Record<string, () => Promise<{ default: Pipeline }>>> = {
  'lot-consolidation': () => import('../../../pipelines/lot-consolidation/index.js'),
  'recipe-snapshots': () => import('../../../pipelines/recipe-snapshots/index.js'),
  'tasks-to-operations': () => import('../../../pipelines/tasks-to-operations/index.js'),
  'okvet-import': () => import('../../../pipelines/okvet-import/index.js'),
  'milestones-to-sections': () => import('../../../pipelines/milestones-to-sections/index.js'),
};

/** The names of the built-in pipelines. */
export function builtInNames(): string[] {
  return Object.keys(BUILT_IN);
}

/**
 * The pipeline called `wanted`: a built-in name, or a path to a .ts or .js file whose default export is a
 * pipeline. Throws usage errors that say what there is.
 */
export async function findPipeline(wanted: string): Promise<Found> {
  const builtIn = Object.hasOwn(BUILT_IN, wanted) ? BUILT_IN[wanted] : undefined;
  if (builtIn !== undefined) return { pipeline: (await builtIn()).default, from: wanted };
  if (/\.[cm]?[jt]s$/.test(wanted) || wanted.includes('/')) return pipelineOfFile(wanted);
  const meant = nearest(wanted, builtInNames());
  throw pipelineErrors.no_such_pipeline.unknown({ wanted, meant, names: builtInNames() });
}

/**
 * The pipeline that made `batch`, to publish what it has staged. A file is code, and what the ledger says is no reason to
 * run it: whoever may write there would choose what runs. So the user names it. Throws usage `name_the_pipeline` where
 * that is missing, `other_pipeline` where it is another one's, and what `findPipeline` throws.
 */
export async function pipelineOf(
  batch: Pick<Batch, 'id' | 'pipeline_from' | 'pipeline' | 'settings'>,
  named: string | undefined,
): Promise<Pipeline> {
  if (named !== undefined) {
    const { pipeline } = await findPipeline(named);
    if (pipeline.name === batch.pipeline) return pipeline;
    throw pipelineErrors.other_pipeline.named({
      batch: batch.id,
      pipeline: batch.pipeline,
      named,
      is: pipeline.name,
      from: batch.pipeline_from,
    });
  }
  if (isFile(batch.pipeline_from))
    throw pipelineErrors.name_the_pipeline.ofBatch({ batch: batch.id, from: batch.pipeline_from });
  if (!isCommand(batch.pipeline_from)) return (await findPipeline(batch.pipeline_from)).pipeline;
  const { stagedCopy } = await import('../../copy/pipeline.js');
  return stagedCopy(batch);
}
